#include "spec/dsl/filter.h"

#include <algorithm>

#include "spec/dsl/arguments.h"
#include "spec/dsl/event_types.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

std::vector<std::string> everybody(const Session& session) {
  std::vector<std::string> names = {"test"};
  for (const model::Service& service : session.topology.services) names.push_back(service.name);
  return names;
}

Impossible unknown_type(const std::string& type) {
  const auto known = event_type_names();
  if (type == "topic") {
    return {Impossible::About::kType, "no source of this spec produces \"topic\" events",
            "observe=[topic(...)] is not in this version yet"};
  }
  return {Impossible::About::kType,
          fmt::format("there are no \"{}\" events{}", type, did_you_mean(type, known)),
          "types: " + listed(known)};
}

std::optional<Impossible> wrong_service(const Session& session, const std::string& name) {
  const auto known = everybody(session);
  if (std::ranges::find(known, name) != known.end()) return std::nullopt;
  return Impossible{Impossible::About::kService,
                    fmt::format("no event is of service \"{}\"{}", name, did_you_mean(name, known)),
                    "services: " + listed(known)};
}

/// Such events are told of services that are observed so, and of no others.
std::optional<Impossible> without_source(const Session& session, const EventType& type,
                                         const std::optional<std::string>& service) {
  const auto& services = session.topology.services;
  const auto has_it = [&type](const model::Service& one) { return one.observes(type.name); };
  if (std::ranges::none_of(services, has_it)) {
    return Impossible{Impossible::About::kType,
                      fmt::format("no source of this spec produces \"{}\" events", type.name),
                      fmt::format("give the {} observe=[{}]",
                                  type.name == "wal" ? "database" : "service", type.source)};
  }
  const model::Service* named = service ? session.find_service(*service) : nullptr;
  if (named == nullptr || has_it(*named)) return std::nullopt;
  return Impossible{Impossible::About::kService,
                    fmt::format("service \"{}\" has no {} events", named->name, type.name),
                    fmt::format("give it observe=[{}]", type.source)};
}

std::vector<std::string> texts_of(const std::vector<std::string_view>& names) {
  return {names.begin(), names.end()};
}

/// Nothing if some event of this type could have the field with that value.
std::optional<Impossible> wrong_field(const EventType& type, const WantedField& wanted) {
  if (!type.has(wanted.name) && !type.is_open() && !is_common_field(wanted.name)) {
    return Impossible{
        .about = Impossible::About::kField,
        .what = fmt::format("a {} event has no field \"{}\"{}", type.name, wanted.name,
                            did_you_mean(wanted.name, texts_of(type.fields))),
        .help = "it has " + listed(texts_of(type.fields))};
  }
  const ClosedField* closed = type.find_closed(wanted.name);
  if (closed == nullptr || !wanted.pattern) return std::nullopt;
  const Glob glob(*wanted.pattern);
  const auto fits = [&glob](std::string_view value) { return glob.matches(value); };
  if (std::ranges::any_of(closed->values, fits)) return std::nullopt;
  return Impossible{
      .about = Impossible::About::kField,
      .what = fmt::format("the {} of a {} event is never \"{}\"{}", wanted.name, type.name,
                          *wanted.pattern, did_you_mean(*wanted.pattern, texts_of(closed->values))),
      .help = "it is one of " + listed(texts_of(closed->values))};
}

std::optional<Impossible> wrong_service_of(const EventType& type, const FilterWants& wants) {
  const bool by_test = *wants.service == "test";
  if (wants.either_end && type.has("to") && !by_test) return std::nullopt;
  if (by_test ? type.by_test : type.by_service) return std::nullopt;
  return Impossible{Impossible::About::kService,
                    fmt::format("a {} event never has service \"{}\"", type.name, *wants.service),
                    by_test
                        ? std::string("it is a service's own")
                        : std::string("its service is \"test\"; the callee is in its field to")};
}

std::optional<Impossible> wrong_syscall(const Session& session, const EventType* type,
                                        const std::string& syscall) {
  if (!session.is_family(syscall)) {
    const auto& known = session.options.syscall_families;
    return Impossible{
        Impossible::About::kSyscall,
        fmt::format("no event has the system call \"{}\"{}", syscall, did_you_mean(syscall, known)),
        "system calls: " + listed(known)};
  }
  if (type == nullptr || type->name == "syscall") return std::nullopt;
  return Impossible{Impossible::About::kSyscall,
                    fmt::format("a {} event has no syscall", type->name),
                    "type \"syscall\" has it"};
}

}  // namespace

bool is_plain(std::string_view pattern) {
  return pattern.find_first_of("*?\\") == std::string_view::npos;
}

std::optional<Impossible> why_contradictory(const FilterWants& one, const FilterWants& other) {
  if (one.type && other.type && *one.type != *other.type) {
    return Impossible{
        .what = fmt::format("no event is both a {} and a {} event", *one.type, *other.type),
        .help = "the parts of a filter must all hold"};
  }
  if (!one.service || !other.service || *one.service == *other.service) return std::nullopt;
  const auto& name = one.type ? one.type : other.type;
  const EventType* type = name ? find_event_type(*name) : nullptr;
  const bool two_ends = type == nullptr || type->has("to");
  if (two_ends && (one.either_end || other.either_end)) return std::nullopt;
  return Impossible{Impossible::About::kService,
                    fmt::format("no event is of service \"{}\" and of service \"{}\"", *one.service,
                                *other.service),
                    "the parts of a filter must all hold"};
}

std::optional<Impossible> why_impossible(const Session& session, const FilterWants& wants) {
  const EventType* type = wants.type ? find_event_type(*wants.type) : nullptr;
  if (wants.type && type == nullptr) return unknown_type(*wants.type);
  if (wants.service) {
    if (auto wrong = wrong_service(session, *wants.service)) return wrong;
  }
  if (wants.syscall) {
    if (auto wrong = wrong_syscall(session, type, *wants.syscall)) return wrong;
  }
  if (type == nullptr) return std::nullopt;
  if (!type->source.empty()) {
    if (auto wrong = without_source(session, *type, wants.service)) return wrong;
  }
  for (std::size_t i = 0; i < wants.fields.size(); ++i) {
    auto wrong = wrong_field(*type, wants.fields[i]);
    if (!wrong) continue;
    wrong->field = i;
    return wrong;
  }
  return wants.service ? wrong_service_of(*type, wants) : std::nullopt;
}

EventFilter::EventFilter(const Args& args, const std::optional<Value>& where,
                         const std::optional<std::string>& type,
                         const std::optional<Value>& service)
    : type_(type) {
  if (service) {
    service_ = service_name_of(*service);
    if (!service_) args.fail(star::code::kArgument, "service= is a service or its name");
  }
  if (!where && !type_ && !service_) {
    args.fail(star::code::kArgument, "says nothing about events: where=, type= or service=");
  }
  if (where && where->as_dict() != nullptr) {
    read_dict(args, *where->as_dict());
  } else if (where) {
    const star::Function* function = where->as_function();
    if (!where->is_callable() || (function != nullptr && !function->accepts(1))) {
      args.fail(star::code::kArgument, "where= is a function of one event, or a dict");
    }
    where_ = *where;
    if (function != nullptr) first_said_ = leading_wants(*function);
  }
  check(args);
}

FilterWants EventFilter::said_by_patterns() const {
  FilterWants wants;
  for (const Pattern& pattern : patterns_) {
    const auto text = pattern.value.as_string();
    const bool exact = text && is_plain(*text);
    if (exact && pattern.name == "type") wants.type = *text;
    if (exact && pattern.name == "service") wants.service = *text;
    if (exact && pattern.name == "syscall") wants.syscall = *text;
    wants.fields.push_back({.name = pattern.name});
    if (text) wants.fields.back().pattern = *text;
  }
  return wants;
}

void EventFilter::check(const Args& args) const {
  const FilterWants keywords{.type = type_, .service = service_};
  FilterWants patterns = said_by_patterns();
  auto impossible = why_impossible(session_of(args), keywords);
  if (!impossible) impossible = why_contradictory(keywords, patterns);
  if (!patterns.type) patterns.type = type_;
  if (!impossible) impossible = why_impossible(session_of(args), patterns);
  if (impossible) {
    args.fail_at(args.call_span(), star::code::kValue, impossible->what, impossible->help);
  }
}

void EventFilter::read_dict(const Args& args, const star::Dict& dict) {
  std::size_t cursor = 0;
  while (const auto* entry = dict.table().next(cursor)) {
    const auto name = entry->key.as_string();
    if (!name) args.fail(star::code::kArgument, "a filter's keys are the names of fields");
    Pattern pattern{.name = std::string(*name), .value = entry->value};
    if (const auto text = entry->value.as_string()) pattern.glob.emplace(*text);
    patterns_.push_back(std::move(pattern));
  }
}

bool EventFilter::service_matches(const model::Event& event) const {
  if (!service_ || event.service == *service_) return true;
  const model::Field* callee = event.find("to");
  return callee != nullptr && model::field_text(*callee) == *service_;
}

bool EventFilter::pattern_matches(const Pattern& pattern, EventValue& event) {
  const auto equal = [&](std::string_view name) {
    const auto found = event.find(name);
    if (!found) return pattern.value.is_none();
    if (!pattern.glob) return found->equals(pattern.value);
    return pattern.glob->matches(found->text());
  };
  // Either end of a step or of a proxied message.
  return equal(pattern.name) || (pattern.name == "service" && equal("to"));
}

bool EventFilter::may_match(const model::Event& event) const {
  if ((type_ && event.type != *type_) || !service_matches(event)) return false;
  if (first_said_.type && event.type != *first_said_.type) return false;
  if (first_said_.service && event.service != *first_said_.service) return false;
  const auto type = std::ranges::find(patterns_, "type", &Pattern::name);
  return type == patterns_.end() || !type->glob || type->glob->matches(event.type);
}

bool EventFilter::matches(star::Thread& thread, const EventPtr& event) {
  return matches(thread, star::make<EventValue>(event));
}

bool EventFilter::matches(star::Thread& thread, const star::Ref<EventValue>& shared) {
  const model::Event& event = shared->event();
  // A predicate shows by what it reads whether it means what faults leave behind, too.
  const bool injected = shared->is_injected();
  const bool asked = std::ranges::find(patterns_, "injected", &Pattern::name) != patterns_.end();
  if (injected && where_.is_none() && !asked) return false;
  ++shown_[event.type];
  if (!may_match(event)) return false;
  const auto value = injected ? star::make<EventValue>(shared->pointer()) : shared;
  const bool as_dict =
      std::ranges::all_of(patterns_, [&](const Pattern& p) { return pattern_matches(p, *value); });
  if (!as_dict || where_.is_none()) return as_dict;
  const star::Forbid forbid(thread, star::kBlocking | star::kLoadOnly | star::kTestOnly,
                            "in a filter of events");
  const Value argument = Value::object(value);
  const bool matched = thread.runtime().call(thread, where_, {&argument, 1}).truth();
  return matched && (!injected || value->was_asked_for_injected());
}

std::string EventFilter::nearest(const std::vector<EventPtr>& events) const {
  std::map<std::string, std::pair<std::size_t, std::string>> missed;
  for (const EventPtr& event : events) {
    EventValue value(event);
    const Pattern* wrong = nullptr;
    std::size_t count = 0;
    for (const Pattern& pattern : patterns_) {
      if (pattern_matches(pattern, value)) continue;
      wrong = &pattern;
      ++count;
    }
    if (count != 1 || patterns_.size() < 2 || wrong->name == "type") continue;
    const auto found = value.find(wrong->name);
    if (!found) continue;
    auto& entry = missed[wrong->name];
    if (entry.first++ == 0) entry.second = shortened(found->text(), 100);
  }
  std::vector<std::string> parts;
  parts.reserve(missed.size());
  for (const auto& [name, entry] : missed) {
    parts.push_back(
        fmt::format("{} matched but for {}, such as \"{}\"", entry.first, name, entry.second));
  }
  return listed(parts);
}

void EventFilter::visit(star::ValueVisitor& visitor) const {
  visitor.visit(where_);
  for (const Pattern& pattern : patterns_) visitor.visit(pattern.value);
}

std::size_t EventFilter::shown_count() const {
  std::size_t count = 0;
  for (const auto& [type, number] : shown_) count += number;
  return count;
}

std::string EventFilter::shown() const {
  std::vector<std::string> parts;
  parts.reserve(shown_.size());
  for (const auto& [type, number] : shown_) parts.push_back(fmt::format("{} {}", number, type));
  return parts.empty() ? "none" : listed(parts);
}

}  // namespace misrule::dsl
