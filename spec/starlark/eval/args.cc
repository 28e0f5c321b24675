// Taking arguments apart, with the words of the language for what is wrong with them.

#include "spec/starlark/args.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/syntax/ast.h"

namespace misrule::star {

bool convert(const Value& value, Value& out) {
  out = value;
  return true;
}
bool convert(const Value& value, bool& out) {
  const auto truth = value.as_bool();
  if (truth) out = *truth;
  return truth.has_value();
}
bool convert(const Value& value, std::int64_t& out) {
  const auto number = value.as_int();
  if (number) out = *number;
  return number.has_value();
}
bool convert(const Value& value, double& out) {
  const auto number = value.as_number();
  if (number) out = *number;
  return number.has_value();
}
bool convert(const Value& value, std::string& out) {
  const auto text = value.as_string();
  if (text) out = *text;
  return text.has_value();
}
bool convert(const Value& value, std::string_view& out) {
  const auto text = value.as_string();
  if (text) out = *text;
  return text.has_value();
}
bool convert(const Value& value, List*& out) { return (out = value.as_list()) != nullptr; }
bool convert(const Value& value, Dict*& out) { return (out = value.as_dict()) != nullptr; }
bool convert(const Value& value, Callable& out) {
  out.value = value;
  return value.is_callable();
}
bool convert(const Value& value, Iterable& out) {
  out.value = value;
  return is_iterable(value);
}

std::string_view wanted_type(const Value*) { return "value"; }
std::string_view wanted_type(const bool*) { return "bool"; }
std::string_view wanted_type(const std::int64_t*) { return "int"; }
std::string_view wanted_type(const double*) { return "float"; }
std::string_view wanted_type(const std::string*) { return "string"; }
std::string_view wanted_type(const std::string_view*) { return "string"; }
std::string_view wanted_type(List* const*) { return "list"; }
std::string_view wanted_type(Dict* const*) { return "dict"; }
std::string_view wanted_type(const Callable*) { return "callable"; }
std::string_view wanted_type(const Iterable*) { return "iterable"; }

std::optional<std::size_t> Args::find_keyword(std::string_view name) const {
  for (std::size_t i = 0; i < keywords_.size(); ++i) {
    if (keywords_[i].name.text() == name) return i;
  }
  return std::nullopt;
}

Span Args::call_span() const {
  return site_ != nullptr ? Span{file_, site_->lo, site_->hi} : Span{};
}

Span Args::callee_span() const {
  return site_ != nullptr ? Span{file_, site_->callee->lo, site_->callee->hi} : Span{};
}

// What came through *x or **x was written as one argument.
const Argument* Args::argument(std::size_t index, bool by_keyword) const {
  if (site_ == nullptr) return nullptr;
  const std::size_t plain = by_keyword ? site_->keyword_count : site_->positional_count;
  if (index < plain) return &site_->arguments[index + (by_keyword ? site_->positional_count : 0)];
  const ArgumentKind wanted = by_keyword ? ArgumentKind::kStarStar : ArgumentKind::kStar;
  for (const Argument& argument : site_->arguments) {
    if (argument.kind == wanted) return &argument;
  }
  return nullptr;
}

Span Args::span(std::size_t index) const {
  const Argument* found = argument(index, false);
  return found != nullptr ? Span{file_, found->lo, found->value->hi} : Span{};
}

Span Args::keyword_span(std::size_t index) const {
  const Argument* found = argument(index, true);
  return found != nullptr ? Span{file_, found->lo, found->value->hi} : Span{};
}

Span Args::keyword_value_span(std::size_t index) const {
  const Argument* found = argument(index, true);
  return found != nullptr ? Span{file_, found->value->lo, found->value->hi} : Span{};
}

void Args::fail(std::string_view code, std::string_view message) const {
  raise(code, fmt::format("{}: {}", name_, message));
}

void Args::fail_at(Span at, std::string_view code, std::string_view message,
                   std::string help) const {
  raise({.code = code,
         .message = fmt::format("{}: {}", name_, message),
         .help = std::move(help),
         .at = at});
}

void Args::store(const Param& param, const Value& value, const std::string& label, Span at) const {
  if (param.store(value, param.out)) return;
  const Object* object = value.as_object();
  if (auto plain = object != nullptr ? object->unwrapped() : std::nullopt) {
    kept_.push_back(std::move(*plain));
    if (param.store(kept_.back(), param.out)) return;
  }
  fail_at(at, code::kType,
          fmt::format("for parameter {}: got {}, want {}", label, value.type_name(), param.wanted));
}

namespace {

std::string list_names(std::span<const Param> params) {
  std::string out;
  for (const Param& param : params) {
    out += out.empty() ? "it takes: " : ", ";
    out += param.name;
  }
  return out;
}

std::size_t count_positional(std::span<const Param> params) {
  std::size_t count = 0;
  while (count < params.size() && !params[count].keyword_only) ++count;
  return count;
}

}  // namespace

void Args::unpack_keyword(std::span<const Param> params, std::size_t index,
                          std::vector<bool>& filled, std::vector<std::size_t>* rest) const {
  const std::string_view given = keyword_name(index);
  std::size_t at = 0;
  while (at < params.size() && params[at].name != given) ++at;
  if (at < params.size()) {
    if (filled[at]) {
      fail_at(keyword_span(index), code::kArgument,
              fmt::format("got multiple values for keyword argument \"{}\"", given));
    }
    filled[at] = true;
    return store(params[at], keyword(index), fmt::format("\"{}\"", given),
                 keyword_value_span(index));
  }
  if (rest != nullptr) return rest->push_back(index);
  std::vector<std::string_view> names;
  for (const Param& param : params) names.push_back(param.name);
  fail_at(keyword_span(index), code::kArgument,
          fmt::format("unexpected keyword argument \"{}\"{}", given, did_you_mean(given, names)),
          list_names(params));
}

void Args::unpack(std::span<const Param> params, std::vector<std::size_t>* rest) const {
  const std::size_t most = count_positional(params);
  if (size() > most) {
    const bool all_required =
        std::all_of(params.begin(), params.begin() + static_cast<std::ptrdiff_t>(most),
                    [](const Param& param) { return param.is_required; });
    fail_at(
        span(most), code::kArgument,
        fmt::format("got {} arguments, want {}{}", size(), all_required ? "" : "at most ", most),
        list_names(params));
  }
  std::vector<bool> filled(params.size());
  for (std::size_t i = 0; i < size(); ++i) {
    filled[i] = true;
    store(params[i], positional_[i], std::string(params[i].name), span(i));
  }
  for (std::size_t i = 0; i < keywords_.size(); ++i) unpack_keyword(params, i, filled, rest);
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i].is_required && !filled[i]) {
      fail_at({}, code::kArgument, fmt::format("missing argument for {}", params[i].name),
              list_names(params));
    }
  }
}

void Args::unpack_positional(std::initializer_list<Param> list) const {
  const std::span<const Param> params(list.begin(), list.size());
  if (!keywords_.empty()) {
    fail_at(keyword_span(0), code::kArgument, "unexpected keyword arguments");
  }
  std::size_t least = 0;
  for (const Param& param : params) least += param.is_required ? 1 : 0;
  if (size() < least || size() > params.size()) {
    const std::string_view word = least == params.size() ? "exactly "
                                  : size() < least       ? "at least "
                                                         : "at most ";
    fail(code::kArgument,
         fmt::format("got {} argument{}, want {}{}", size(), size() == 1 ? "" : "s", word,
                     size() < least ? least : params.size()));
  }
  for (std::size_t i = 0; i < size(); ++i) {
    store(params[i], positional_[i], std::to_string(i + 1), span(i));
  }
}

}  // namespace misrule::star
