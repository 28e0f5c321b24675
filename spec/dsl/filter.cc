#include "spec/dsl/filter.h"

#include <algorithm>

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
  if (type == "wal" || type == "topic") {
    return {Impossible::About::kType,
            fmt::format("no source of this spec produces \"{}\" events", type),
            fmt::format("observe=[{}] is not in this version yet",
                        type == "wal" ? "wal_stream(...)" : "topic(...)")};
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

}  // namespace

std::optional<Impossible> why_impossible(const Session& session, const FilterWants& wants) {
  const EventType* type = wants.type ? find_event_type(*wants.type) : nullptr;
  if (wants.type && type == nullptr) return unknown_type(*wants.type);
  if (wants.service) {
    if (auto wrong = wrong_service(session, *wants.service)) return wrong;
  }
  if (wants.syscall && !session.is_family(*wants.syscall)) {
    const auto& known = session.options.syscall_families;
    return Impossible{Impossible::About::kSyscall,
                      fmt::format("no event has the system call \"{}\"{}", *wants.syscall,
                                  did_you_mean(*wants.syscall, known)),
                      "system calls: " + listed(known)};
  }
  if (wants.syscall && type != nullptr && type->name != "syscall") {
    return Impossible{Impossible::About::kSyscall,
                      fmt::format("a {} event has no syscall", type->name),
                      "type \"syscall\" has it"};
  }
  if (type == nullptr || !wants.service) return std::nullopt;
  const bool by_test = *wants.service == "test";
  const bool has_callee = std::ranges::find(type->fields, "to") != type->fields.end();
  if (wants.either_end && has_callee && !by_test) return std::nullopt;
  if (by_test ? type->by_test : type->by_service) return std::nullopt;
  return Impossible{Impossible::About::kService,
                    fmt::format("a {} event never has service \"{}\"", type->name, *wants.service),
                    by_test
                        ? std::string("it is a service's own")
                        : std::string("its service is \"test\"; the callee is in its field to")};
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
  }
  FilterWants wants{.type = type_, .service = service_};
  for (const Pattern& pattern : patterns_) {
    const auto text = pattern.value.as_string();
    if (text && pattern.name == "type") wants.type = *text;
    if (text && pattern.name == "service") wants.service = *text;
    if (text && pattern.name == "syscall") wants.syscall = *text;
  }
  if (const auto impossible = why_impossible(session_of(args), wants)) {
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

bool EventFilter::matches(star::Thread& thread, const EventPtr& event) {
  ++shown_[event->type];
  if ((type_ && event->type != *type_) || !service_matches(*event)) return false;
  const auto value = star::make<EventValue>(event);
  const bool as_dict =
      std::ranges::all_of(patterns_, [&](const Pattern& p) { return pattern_matches(p, *value); });
  if (!as_dict || where_.is_none()) return as_dict;
  const star::Forbid forbid(thread, star::kBlocking | star::kLoadOnly | star::kTestOnly,
                            "in a filter of events");
  const Value argument = Value::object(value);
  return thread.runtime().call(thread, where_, {&argument, 1}).truth();
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
