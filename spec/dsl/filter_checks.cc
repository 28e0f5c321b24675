// Could any event match? What type=, service=, a dict, and the top-level `and` of a lambda say
// literally.

#include "spec/dsl/analysis.h"
#include "spec/dsl/filter.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Argument;
using star::ArgumentKind;
using star::CallExpr;
using star::Expr;
using star::ExprKind;
using star::Span;

namespace {

/// What one part of a filter says, with where it says it.
struct Said {
  FilterWants wants = {};
  Span type_at = {};
  Span service_at = {};
  Span syscall_at = {};

  void set(std::string_view name, std::string text, Span at) {
    if (name == "type") {
      wants.type = std::move(text);
      type_at = at;
    } else if (name == "service") {
      wants.service = std::move(text);
      service_at = at;
    } else if (name == "syscall") {
      wants.syscall = std::move(text);
      syscall_at = at;
    }
  }
};

std::optional<std::string> literal_text(const Expr& expr) {
  const star::Value* literal = star::literal_of(expr);
  const auto text = literal == nullptr ? std::nullopt : literal->as_string();
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

bool is_name(const Expr& expr, std::string_view name) {
  return expr.kind == ExprKind::kName && star::as<star::NameExpr>(expr).name.text() == name;
}

/// "type" of e.type, e["type"] and e.get("type"); empty for anything else.
std::string field_read(const Expr& expr, std::string_view event) {
  if (expr.kind == ExprKind::kAttribute) {
    const auto& attribute = star::as<star::AttributeExpr>(expr);
    return is_name(*attribute.object, event) ? std::string(attribute.name.text()) : std::string();
  }
  if (expr.kind == ExprKind::kIndex) {
    const auto& index = star::as<star::IndexExpr>(expr);
    return is_name(*index.object, event) ? literal_text(*index.index).value_or("") : std::string();
  }
  if (expr.kind != ExprKind::kCall) return {};
  const auto& call = star::as<CallExpr>(expr);
  if (call.callee->kind != ExprKind::kAttribute || call.arguments.empty()) return {};
  const auto& method = star::as<star::AttributeExpr>(*call.callee);
  const bool is_get = method.name.text() == "get" && is_name(*method.object, event);
  return is_get ? literal_text(*call.arguments.front().value).value_or("") : std::string();
}

void read_operand(const Unit& unit, const Expr& expr, std::string_view event, Said& said) {
  if (expr.kind == ExprKind::kLogical && star::as<star::LogicalExpr>(expr).is_and) {
    const auto& both = star::as<star::LogicalExpr>(expr);
    read_operand(unit, *both.left, event, said);
    read_operand(unit, *both.right, event, said);
    return;
  }
  if (expr.kind != ExprKind::kCompare) return;
  const auto& compare = star::as<star::CompareExpr>(expr);
  if (compare.op != star::CompareOp::kEqual) return;
  const Span at{&unit.module->file(), expr.lo, expr.hi};
  for (const auto& [read, other] : {std::pair(compare.left.get(), compare.right.get()),
                                    std::pair(compare.right.get(), compare.left.get())}) {
    const std::string field = field_read(*read, event);
    const auto text = literal_text(*other);
    if (!field.empty() && text) said.set(field, *text, at);
  }
}

Said said_by_where(const Unit& unit, const Expr& where) {
  Said said;
  if (where.kind == ExprKind::kLambda) {
    const star::FunctionSyntax& function = star::as<star::LambdaExpr>(where).function;
    said.wants.either_end = false;
    if (function.parameters.empty() || function.value == nullptr) return said;
    read_operand(unit, *function.value, function.parameters.front().name.text(), said);
  }
  if (where.kind != ExprKind::kDict) return said;
  for (const star::DictEntry& entry : star::as<star::DictExpr>(where).entries) {
    const auto key = literal_text(*entry.key);
    const auto text = literal_text(*entry.value);
    const bool glob = text && text->find_first_of("*?\\") != std::string::npos;
    if (key && text && !glob) {
      said.set(*key, *text, {&unit.module->file(), entry.value->lo, entry.value->hi});
    }
  }
  return said;
}

Said said_by_keywords(const Unit& unit, const CallExpr& call, StaticReader& reader) {
  Said said;
  for (const Argument& argument : call.arguments) {
    if (argument.kind != ArgumentKind::kKeyword) continue;
    const auto value = reader.value_of(unit, *argument.value);
    const auto text = value ? service_name_of(value->value) : std::nullopt;
    if (text) said.set(argument.name.text(), *text, reader.span_of(unit, *argument.value));
  }
  said.wants.syscall.reset();
  return said;
}

void check(const Session& session, const Said& said, StaticReader& reader) {
  const auto impossible = why_impossible(session, said.wants);
  if (!impossible) return;
  const Span at = impossible->about == Impossible::About::kType      ? said.type_at
                  : impossible->about == Impossible::About::kService ? said.service_at
                                                                     : said.syscall_at;
  reader.complain(at, "this filter matches nothing: " + impossible->what, impossible->help);
}

const Expr* where_of(const CallExpr& call) {
  for (const Argument& argument : call.arguments) {
    if (argument.kind == ArgumentKind::kKeyword && argument.name.text() == "where") {
      return argument.value.get();
    }
  }
  const bool first =
      !call.arguments.empty() && call.arguments.front().kind == ArgumentKind::kPositional;
  return first ? call.arguments.front().value.get() : nullptr;
}

bool is_filter_call(const CallExpr& call) {
  return is_builtin(*call.callee, "assert_eventually") ||
         is_builtin(*call.callee, "assert_never") || is_builtin(*call.callee, "events");
}

}  // namespace

std::optional<SyscallWanted> syscall_wanted(const Unit& unit, const CallExpr& call,
                                            StaticReader& reader) {
  const Expr* where = is_filter_call(call) ? where_of(call) : nullptr;
  if (where == nullptr) return std::nullopt;
  const FilterWants wants = said_by_where(unit, *where).wants;
  if (!wants.syscall) return std::nullopt;
  const FilterWants keywords = said_by_keywords(unit, call, reader).wants;
  return SyscallWanted{.service = wants.service.value_or(keywords.service.value_or("")),
                       .family = *wants.syscall};
}

void check_filters(const Session& session, const Unit& unit, StaticReader& reader) {
  for (const CallExpr* call : unit.calls) {
    if (!is_filter_call(*call)) continue;
    const Said keywords = said_by_keywords(unit, *call, reader);
    check(session, keywords, reader);
    const Expr* where = where_of(*call);
    if (where == nullptr) continue;
    Said said = said_by_where(unit, *where);
    if (!said.wants.type && keywords.wants.type) {
      said.wants.type = keywords.wants.type;
      said.type_at = keywords.type_at;
    }
    if (said.wants.service || said.wants.syscall || said.wants.type != keywords.wants.type) {
      check(session, said, reader);
    }
  }
}

}  // namespace misrule::dsl
