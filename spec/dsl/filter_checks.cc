// Could any event match? What type=, service=, a dict, and the top-level `and` of a lambda say
// literally.

#include <algorithm>

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
  std::vector<Span> fields_at = {};              ///< As wants.fields.
  std::optional<Impossible> contradiction = {};  ///< With itself.
  Span contradiction_at = {};
  /// Of system calls: only what a rule acted on, or an undeclared connect, is meant; these are
  /// events without a recording.
  bool recorded_anyway = false;
  bool about_connect = false;

  void set(std::string_view name, std::string text, Span at);
};

void Said::set(std::string_view name, std::string text, Span at) {
  FilterWants more{.either_end = wants.either_end};
  if (name == "type") {
    more.type = std::move(text);
    type_at = at;
  } else if (name == "service") {
    more.service = std::move(text);
    service_at = at;
  } else if (name == "syscall") {
    more.syscall = std::move(text);
    syscall_at = at;
  }
  if (auto found = why_contradictory(wants, more); found && !contradiction) {
    contradiction = std::move(found);
    contradiction_at = at;
  }
  if (more.type) wants.type = std::move(more.type);
  if (more.service) wants.service = std::move(more.service);
  if (more.syscall) wants.syscall = std::move(more.syscall);
}

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

/// The first field that an expression reads of the event, itself or by a method: e.decision of
/// e.decision.startswith("deny").
std::string field_within(const Expr& expr, std::string_view event) {
  if (std::string field = field_read(expr, event); !field.empty()) return field;
  if (expr.kind != ExprKind::kCall) return {};
  const Expr& callee = *star::as<CallExpr>(expr).callee;
  if (callee.kind != ExprKind::kAttribute) return {};
  return field_read(*star::as<star::AttributeExpr>(callee).object, event);
}

/// What an operand that must hold tells about the system calls that are meant.
void read_call_hints(const Expr& expr, std::string_view event, Said& said) {
  std::vector<const Expr*> parts = {&expr};
  std::optional<std::string> literal;
  if (expr.kind == ExprKind::kCompare) {
    const auto& compare = star::as<star::CompareExpr>(expr);
    if (compare.op != star::CompareOp::kEqual && compare.op != star::CompareOp::kIn) return;
    parts = {compare.left.get(), compare.right.get()};
    literal = literal_text(*parts[0]);
    if (!literal) literal = literal_text(*parts[1]);
  } else if (expr.kind == ExprKind::kCall && !star::as<CallExpr>(expr).arguments.empty()) {
    literal = literal_text(*star::as<CallExpr>(expr).arguments.front().value);
  }
  for (const Expr* part : parts) {
    const std::string field = field_within(*part, event);
    if (field == "undeclared") said.recorded_anyway = true;
    if (field == "to" || field == "interface" || field == "address") said.about_connect = true;
    const bool acted =
        literal && !literal->empty() && !std::string_view("allow").contains(*literal);
    if (field == "decision" && acted) said.recorded_anyway = true;
  }
}

void read_operand(const Unit& unit, const Expr& expr, std::string_view event, Said& said) {
  if (expr.kind == ExprKind::kLogical && star::as<star::LogicalExpr>(expr).is_and) {
    const auto& both = star::as<star::LogicalExpr>(expr);
    read_operand(unit, *both.left, event, said);
    read_operand(unit, *both.right, event, said);
    return;
  }
  read_call_hints(expr, event, said);
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

/// False: what stands right of it is not known to be harmless to leave out.
bool read_leading(const Expr& expr, std::string_view event, FilterWants& wants) {
  if (expr.kind == ExprKind::kLogical && star::as<star::LogicalExpr>(expr).is_and) {
    const auto& both = star::as<star::LogicalExpr>(expr);
    return read_leading(*both.left, event, wants) && read_leading(*both.right, event, wants);
  }
  if (expr.kind != ExprKind::kCompare) return false;
  const auto& compare = star::as<star::CompareExpr>(expr);
  if (compare.op != star::CompareOp::kEqual) return false;
  const std::string field = field_read(*compare.left, event);
  const auto text = literal_text(*compare.right);
  if (!text || (field != "type" && field != "service")) return false;
  (field == "type" ? wants.type : wants.service) = *text;
  return true;
}

void read_entry(const Unit& unit, const star::DictEntry& entry, Said& said) {
  if (entry.key == nullptr || entry.value == nullptr) return;
  const auto key = literal_text(*entry.key);
  if (!key) return;
  const auto text = literal_text(*entry.value);
  const Span at{&unit.module->file(), entry.value->lo, entry.value->hi};
  if (text && is_plain(*text)) said.set(*key, *text, at);
  said.wants.fields.push_back({.name = *key, .pattern = text});
  said.fields_at.emplace_back(&unit.module->file(), entry.key->lo, entry.value->hi);
  if (*key == "to" || *key == "interface" || *key == "address") said.about_connect = true;
  if (*key == "undeclared") said.recorded_anyway = true;
  if (*key == "decision" && text && !Glob(*text).matches("allow")) said.recorded_anyway = true;
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
    read_entry(unit, entry, said);
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

void complain(StaticReader& reader, Span at, const Impossible& impossible) {
  reader.complain(at, "this filter matches nothing: " + impossible.what, impossible.help);
}

Span place_of(const Said& said, const Impossible& impossible) {
  switch (impossible.about) {
    case Impossible::About::kType:
      return said.type_at;
    case Impossible::About::kService:
      return said.service_at;
    case Impossible::About::kSyscall:
      return said.syscall_at;
    case Impossible::About::kField:
      break;
  }
  return said.fields_at[impossible.field];
}

bool check(const Session& session, const Said& said, StaticReader& reader) {
  if (said.contradiction) {
    complain(reader, said.contradiction_at, *said.contradiction);
    return false;
  }
  const auto impossible = why_impossible(session, said.wants);
  if (impossible) complain(reader, place_of(said, *impossible), *impossible);
  return !impossible;
}

/// A builtin that takes filters: how many by position, and which other keywords are one.
struct FilterCall {
  std::string_view name;
  std::size_t by_position;
  std::vector<std::string_view> keywords;
};

const FilterCall* filter_call(const CallExpr& call) {
  static const std::vector<FilterCall> kCalls = {
      {"assert_eventually", 1, {"where"}},
      {"assert_never", 1, {"where"}},
      {"assert_before", 2, {"first", "then", "where"}},
      {"events", 1, {"where"}},
      {"monitor", 0, {"on"}},
      {"never", 1, {"where"}},
      {"always", 0, {"on"}},
      {"eventually", 1, {"where"}},
      {"leads_to", 2, {"a", "b"}},
      {"before", 2, {"a", "b"}},
      {"until", 2, {"a", "b"}},
      {"at_most", 0, {"where"}},
      {"count", 1, {"where"}},
      {"once_per", 0, {"where"}},
  };
  const auto found = std::ranges::find_if(kCalls, [&](const FilterCall& candidate) {
    return is_builtin(*call.callee, candidate.name);
  });
  return found == kCalls.end() ? nullptr : &*found;
}

std::vector<const Expr*> filters_of(const FilterCall& shape, const CallExpr& call) {
  std::vector<const Expr*> filters;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Argument& argument = call.arguments[i];
    const bool by_position = argument.kind == ArgumentKind::kPositional && i < shape.by_position;
    const bool by_name =
        argument.kind == ArgumentKind::kKeyword &&
        std::ranges::find(shape.keywords, argument.name.text()) != shape.keywords.end();
    if (by_position || by_name) filters.push_back(argument.value.get());
  }
  return filters;
}

}  // namespace

FilterWants leading_wants(const star::Function& function) {
  FilterWants wants{.either_end = false};
  const star::FunctionSyntax& syntax = function.syntax();
  if (!syntax.is_lambda || syntax.parameters.empty() || syntax.value == nullptr) return wants;
  static_cast<void>(read_leading(*syntax.value, syntax.parameters.front().name.text(), wants));
  return wants;
}

namespace {

/// A dict that names what only system calls have is about them, even if it does not say so.
bool names_call_fields(const FilterWants& wants) {
  return std::ranges::any_of(wants.fields, [](const WantedField& field) {
    return field.name == "name" || field.name == "address" || field.name == "bytes";
  });
}

std::vector<std::string> families_meant(const Session& session, const Said& said) {
  if (said.wants.syscall) return {*said.wants.syscall};
  if (said.about_connect) return {"connect"};
  std::vector<std::string> families = session.options.syscall_families;
  for (const WantedField& field : said.wants.fields) {
    if (field.name != "syscall" || !field.pattern) continue;
    std::erase_if(families, [glob = Glob(*field.pattern)](const std::string& family) {
      return !glob.matches(family);
    });
  }
  return families;
}

}  // namespace

namespace {

std::optional<SyscallsWanted> wanted_by(const Session& session, const Said& keywords,
                                        const Said& said) {
  const auto& type = said.wants.type ? said.wants.type : keywords.wants.type;
  const bool about_calls =
      type ? *type == "syscall" : said.wants.syscall.has_value() || names_call_fields(said.wants);
  if (!about_calls || (said.recorded_anyway && !said.wants.syscall)) return std::nullopt;
  return SyscallsWanted{.service = said.wants.service.value_or(keywords.wants.service.value_or("")),
                        .families = families_meant(session, said)};
}

}  // namespace

std::vector<SyscallsWanted> syscalls_wanted(const Session& session, const Unit& unit,
                                            const CallExpr& call, StaticReader& reader) {
  const FilterCall* shape = filter_call(call);
  if (shape == nullptr) return {};
  const Said keywords = said_by_keywords(unit, call, reader);
  std::vector<Said> parts;
  for (const Expr* filter : filters_of(*shape, call)) parts.push_back(said_by_where(unit, *filter));
  if (parts.empty()) parts.emplace_back();
  std::vector<SyscallsWanted> all;
  for (const Said& said : parts) {
    if (auto wanted = wanted_by(session, keywords, said)) all.push_back(*std::move(wanted));
  }
  return all;
}

namespace {

void check_part(const Session& session, const Said& keywords, Said said, StaticReader& reader) {
  if (const auto both = why_contradictory(keywords.wants, said.wants)) {
    complain(reader, place_of(said, *both), *both);
    return;
  }
  if (!said.wants.type && keywords.wants.type) {
    said.wants.type = keywords.wants.type;
    said.type_at = keywords.type_at;
  }
  check(session, said, reader);
}

void check_filter(const Session& session, const Unit& unit, const CallExpr& call,
                  const FilterCall& shape, StaticReader& reader) {
  const Said keywords = said_by_keywords(unit, call, reader);
  if (!check(session, keywords, reader)) return;
  for (const Expr* filter : filters_of(shape, call)) {
    check_part(session, keywords, said_by_where(unit, *filter), reader);
  }
}

}  // namespace

void check_filters(const Session& session, const Unit& unit, StaticReader& reader) {
  for (const CallExpr* call : unit.calls) {
    const FilterCall* shape = filter_call(*call);
    if (shape != nullptr) check_filter(session, unit, *call, *shape, reader);
  }
}

}  // namespace misrule::dsl
