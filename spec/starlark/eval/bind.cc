// Arguments to parameters of a function of the spec.

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/interpreter.h"

namespace misrule::star {
namespace {

[[noreturn]] void complain(const Function& function, std::string message, std::string help = {}) {
  raise({.code = code::kArgument,
         .message = fmt::format("function {} {}", function.name(), message),
         .help = std::move(help),
         .labels = {{.at = function.def_span(), .text = "defined here"}}});
}

std::string_view plural(std::size_t count) { return count == 1 ? "" : "s"; }

std::string list_parameters(const FunctionSyntax& syntax) {
  std::string out;
  for (std::size_t i = 0; i < syntax.named_count; ++i) {
    out += out.empty() ? "it takes: " : ", ";
    out += syntax.parameters[i].name.text();
  }
  return out;
}

}  // namespace

void Interpreter::bind(const Function& function, std::span<const Value> positional,
                       std::span<const Keyword> keywords, Value* locals) {
  const FunctionSyntax& syntax = function.syntax();
  const std::size_t given = positional.size() + keywords.size();
  if (syntax.parameters.empty()) {
    if (given == 0) return;
    complain(function, fmt::format("accepts no arguments ({} given)", given));
  }
  bind_positional(function, positional, keywords.size(), locals);
  bind_keywords(function, keywords, locals);
  bind_defaults(function, locals);
}

void Interpreter::bind_positional(const Function& function, std::span<const Value> positional,
                                  std::size_t named, Value* locals) {
  const FunctionSyntax& syntax = function.syntax();
  const std::size_t plain = syntax.plain_count;
  if (positional.size() > plain && !syntax.has_varargs) {
    const bool at_most = syntax.required_plain < plain;
    complain(function,
             fmt::format("accepts {}{} positional argument{} ({} given)", at_most ? "at most " : "",
                         plain, plural(plain), positional.size() + (plain == 0 ? named : 0)));
  }
  const std::size_t direct = std::min(positional.size(), plain);
  for (std::size_t i = 0; i < direct; ++i) locals[i] = positional[i];
  if (!syntax.has_varargs) return;
  const auto surplus = positional.subspan(direct);
  locals[syntax.named_count] = Value::tuple({surplus.begin(), surplus.end()});
}

void Interpreter::bind_keywords(const Function& function, std::span<const Keyword> keywords,
                                Value* locals) {
  const FunctionSyntax& syntax = function.syntax();
  Dict* rest = nullptr;
  if (syntax.has_kwargs) {
    Value& slot = locals[syntax.named_count + (syntax.has_varargs ? 1 : 0)];
    slot = Value::dict();
    rest = slot.as_dict();
  }
  const auto twice = [&](const Keyword& keyword) {
    complain(function,
             fmt::format("got multiple values for parameter \"{}\"", keyword.name.text()));
  };
  for (const Keyword& keyword : keywords) {
    std::size_t at = 0;
    while (at < syntax.named_count && syntax.parameters[at].name != keyword.name) ++at;
    if (at < syntax.named_count) {
      if (!locals[at].is_unbound()) twice(keyword);
      locals[at] = keyword.value;
      continue;
    }
    if (rest == nullptr) {
      std::vector<std::string_view> names;
      for (std::size_t i = 0; i < syntax.named_count; ++i) {
        names.push_back(syntax.parameters[i].name.text());
      }
      complain(function,
               fmt::format("got an unexpected keyword argument \"{}\"{}", keyword.name.text(),
                           did_you_mean(keyword.name.text(), names)),
               list_parameters(syntax));
    }
    if (rest->find(keyword.name.text()) != nullptr) twice(keyword);
    rest->set(keyword.name.text(), keyword.value);
  }
}

void Interpreter::bind_defaults(const Function& function, Value* locals) {
  const FunctionSyntax& syntax = function.syntax();
  std::size_t next_default = 0;
  std::string missing;
  std::size_t missing_count = 0;
  for (std::size_t i = 0; i < syntax.named_count; ++i) {
    const Parameter& parameter = syntax.parameters[i];
    const bool has_default = parameter.default_value != nullptr;
    if (locals[i].is_unbound() && has_default) locals[i] = function.defaults_[next_default];
    if (has_default) ++next_default;
    if (!locals[i].is_unbound()) continue;
    missing += missing.empty() ? "" : ", ";
    missing += parameter.name.text();
    ++missing_count;
  }
  if (missing_count == 0) return;
  complain(function, fmt::format("missing {} argument{} ({})", missing_count, plural(missing_count),
                                 missing));
}

}  // namespace misrule::star
