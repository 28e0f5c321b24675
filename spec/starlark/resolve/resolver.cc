// How each name is found: local slot, cell, capture, global, predeclared; and what a function's
// parameters are.

#include "spec/starlark/resolve/resolver.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {

void resolve_file(FileSyntax& file, const Predeclared& predeclared, const Dialect& dialect,
                  std::vector<Diagnostic>& problems) {
  Resolver(file, predeclared, dialect, problems).run();
}

void Resolver::run() {
  FunctionScope top;
  top.syntax = &file_.toplevel;
  file_.toplevel.name = "<toplevel>";
  scope_ = &top;
  collect_globals(file_.body, true);
  block(file_.body);
  finish(top);
}

void Resolver::error(std::uint32_t lo, std::uint32_t hi, std::string_view code,
                     std::string message) {
  Diagnostic problem;
  problem.code = code;
  problem.message = std::move(message);
  problem.at = span(lo, hi);
  problems_.push_back(std::move(problem));
}

std::optional<std::uint32_t> Resolver::find_local(const FunctionScope& scope, Symbol name) {
  for (auto names = scope.blocks.rbegin(); names != scope.blocks.rend(); ++names) {
    if (const auto found = names->find(name); found != names->end()) return found->second;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Resolver::capture(FunctionScope& scope, Symbol name) {
  if (scope.parent == nullptr) return std::nullopt;
  if (const auto known = scope.captures.find(name); known != scope.captures.end()) {
    return known->second;
  }
  FunctionSyntax::Capture taken;
  taken.name = name;
  if (const auto slot = find_local(*scope.parent, name)) {
    scope.parent->locals[*slot].in_cell = true;
    taken.from_cell = true;
    taken.index = *slot;
  } else if (const auto outer = capture(*scope.parent, name)) {
    taken.from_cell = false;
    taken.index = *outer;
  } else {
    return std::nullopt;
  }
  const auto index = static_cast<std::uint32_t>(scope.syntax->captures.size());
  scope.syntax->captures.push_back(taken);
  scope.captures.emplace(name, index);
  return index;
}

bool Resolver::use_local(NameExpr& name) {
  if (const auto slot = find_local(*scope_, name.name)) {
    name.scope = Scope::kLocal;
    name.slot = *slot;
    scope_->locals[*slot].uses.push_back(&name);
    return true;
  }
  const auto captured = capture(*scope_, name.name);
  if (!captured) return false;
  name.scope = Scope::kFree;
  name.slot = *captured;
  return true;
}

void Resolver::use(NameExpr& name) {
  if (use_local(name)) return;
  if (const auto found = globals_.find(name.name); found != globals_.end()) {
    name.scope = found->second.kind == GlobalKind::kLoad ? Scope::kFile : Scope::kGlobal;
    name.slot = found->second.slot;
    return;
  }
  if (const auto found = predeclared_.find(name.name); found != predeclared_.end()) {
    name.scope = Scope::kPredeclared;
    name.slot = found->second;
    if (!dialect_.set && name.name.text() == "set") {
      error(name.lo, name.hi, code::kSyntax, "this Starlark dialect does not support sets");
    }
    return;
  }
  report_undefined(name);
}

void Resolver::report_undefined(const NameExpr& name) {
  std::vector<std::string_view> visible;
  for (const FunctionScope* scope = scope_; scope != nullptr; scope = scope->parent) {
    for (const auto& names : scope->blocks) {
      for (const auto& [symbol, slot] : names) visible.push_back(symbol.text());
    }
  }
  for (const auto& [symbol, global] : globals_) visible.push_back(symbol.text());
  for (const auto& [symbol, slot] : predeclared_) visible.push_back(symbol.text());
  std::sort(visible.begin(), visible.end());
  const std::string_view text = name.name.text();
  error(name.lo, name.hi, code::kName,
        fmt::format("undefined: {}{}", text, did_you_mean(text, visible)));
}

void Resolver::function(FunctionSyntax& syntax) {
  for (Parameter& parameter : syntax.parameters) expression(parameter.default_value.get());
  check_parameters(syntax);
  FunctionScope scope;
  scope.parent = scope_;
  scope.syntax = &syntax;
  scope.blocks.emplace_back();
  bind_parameters(syntax, scope);
  collect_locals(syntax.body, scope);
  scope_ = &scope;
  block(syntax.body);
  expression(syntax.value.get());
  scope_ = scope.parent;
  finish(scope);
}

void Resolver::check_parameters(const FunctionSyntax& syntax) {
  constexpr const char* kBare = "bare * must be followed by keyword-only parameters";
  bool optional = false;
  const Parameter* star = nullptr;
  const Parameter* kwargs = nullptr;
  const Parameter* bare = nullptr;  // A * that still wants a parameter behind it.
  const auto complain = [this](const Parameter& parameter, std::string message) {
    const auto width = std::max<std::size_t>(parameter.name.text().size(), 1);
    error(parameter.lo, parameter.lo + static_cast<std::uint32_t>(width), code::kSyntax,
          std::move(message));
  };
  for (const Parameter& parameter : syntax.parameters) {
    const bool is_star = parameter.kind == ParameterKind::kVarargs;
    const bool is_kwargs = parameter.kind == ParameterKind::kKwargs;
    const bool has_default = parameter.default_value != nullptr;
    if (kwargs != nullptr && is_kwargs) complain(parameter, "multiple ** parameters not allowed");
    if (kwargs != nullptr && is_star) complain(parameter, "* parameter may not follow **kwargs");
    if (star != nullptr && is_star) complain(parameter, "multiple * parameters not allowed");
    if (kwargs != nullptr && !is_star && !is_kwargs) {
      complain(parameter, has_default ? "optional parameter may not follow **kwargs"
                                      : "required parameter may not follow **kwargs");
    } else if (!is_star && !is_kwargs && !has_default && optional && star == nullptr) {
      complain(parameter, "required parameter may not follow optional");
    }
    if (!is_star && !is_kwargs) bare = nullptr;
    if (is_star && star == nullptr && !parameter.name) bare = &parameter;
    if (is_star && star != nullptr && bare != nullptr) {
      complain(*std::exchange(bare, nullptr), kBare);
    }
    optional = optional || has_default;
    if (is_star) star = &parameter;
    if (is_kwargs) kwargs = &parameter;
  }
  if (bare != nullptr) complain(*bare, kBare);
}

// Plain, keyword-only, *args, **kwargs: the order in which calls fill them.
void Resolver::sort_parameters(FunctionSyntax& syntax) {
  bool after_star = false;
  for (Parameter& parameter : syntax.parameters) {
    if (parameter.kind == ParameterKind::kVarargs) {
      after_star = true;
    } else if (after_star && parameter.kind == ParameterKind::kPlain) {
      parameter.kind = ParameterKind::kKeywordOnly;
    }
  }
  std::erase_if(syntax.parameters, [](const Parameter& parameter) {
    return parameter.kind == ParameterKind::kVarargs && !parameter.name;
  });
  std::sort(syntax.parameters.begin(), syntax.parameters.end(),
            [](const Parameter& a, const Parameter& b) {
              return a.kind != b.kind ? a.kind < b.kind : a.lo < b.lo;
            });
}

void Resolver::bind_parameters(FunctionSyntax& syntax, FunctionScope& scope) {
  sort_parameters(syntax);
  bool leading = true;
  for (Parameter& parameter : syntax.parameters) {
    if (scope.blocks.back().contains(parameter.name)) {
      error(parameter.lo, parameter.lo + static_cast<std::uint32_t>(parameter.name.text().size()),
            code::kSyntax, fmt::format("duplicate parameter: {}", parameter.name.text()));
    }
    parameter.slot = add_local(parameter.name, scope);
    scope.blocks.back()[parameter.name] = parameter.slot;
    const bool plain = parameter.kind == ParameterKind::kPlain;
    leading = leading && plain && parameter.default_value == nullptr;
    if (leading) ++syntax.required_plain;
    if (plain) ++syntax.plain_count;
    if (plain || parameter.kind == ParameterKind::kKeywordOnly) ++syntax.named_count;
    syntax.has_varargs = syntax.has_varargs || parameter.kind == ParameterKind::kVarargs;
    syntax.has_kwargs = syntax.has_kwargs || parameter.kind == ParameterKind::kKwargs;
  }
}

void Resolver::finish(FunctionScope& scope) {
  FunctionSyntax& syntax = *scope.syntax;
  syntax.slot_count = static_cast<std::uint32_t>(scope.locals.size());
  for (std::uint32_t slot = 0; slot < scope.locals.size(); ++slot) {
    const LocalBinding& local = scope.locals[slot];
    syntax.slot_names.push_back(local.name);
    if (!local.in_cell) continue;
    syntax.cell_slots.push_back(slot);
    for (NameExpr* use : local.uses) use->scope = Scope::kCell;
  }
  for (Parameter& parameter : syntax.parameters) {
    parameter.in_cell = scope.locals[parameter.slot].in_cell;
  }
}

}  // namespace misrule::star
