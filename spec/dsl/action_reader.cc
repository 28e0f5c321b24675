#include "spec/dsl/action_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Param;
using star::Span;
using star::Value;

std::uint64_t microseconds_of(const DurationText& text) {
  return static_cast<std::uint64_t>(text.value.count() / 1000);
}

std::vector<Param> with_common(std::vector<Param> own, ActionArguments& given) {
  own.insert(own.end(), {keyword("label", given.label), keyword("optional", given.may_stay_unfired),
                         keyword("source", given.source), keyword("times", given.times),
                         keyword("nth", given.nth), keyword("after", given.after),
                         keyword("every", given.every), keyword("probability", given.probability),
                         keyword("per", given.per), keyword("window", given.window)});
  return own;
}

std::vector<Param> with_traffic(std::vector<Param> own, ActionArguments& given) {
  own.push_back(keyword("query", given.query));
  own.push_back(keyword("path", given.path));
  for (std::size_t i = 0; i < kTrafficWords; ++i) {
    own.push_back(keyword(traffic_words()[i].keyword, given.traffic[i]));
  }
  return with_common(std::move(own), given);
}

std::uint64_t ActionReader::count(std::string_view keyword, std::int64_t value,
                                  std::int64_t least) const {
  if (value < least) fail(keyword, fmt::format("{}={} is less than {}", keyword, value, least));
  return static_cast<std::uint64_t>(value);
}

void ActionReader::read_trigger(const ActionArguments& given, model::Rule& rule) const {
  if (given.nth) rule.mutable_trigger()->set_nth(count("nth", *given.nth, 1));
  if (given.after) rule.mutable_trigger()->set_after(count("after", *given.after, 0));
  if (given.times) rule.mutable_trigger()->set_times(count("times", *given.times, 1));
  if (given.every) rule.mutable_trigger()->set_every(count("every", *given.every, 1));
  if (given.probability) {
    if (!(*given.probability > 0 && *given.probability <= 1)) {
      fail("probability",
           fmt::format("probability={} is not above 0 and at most 1", *given.probability));
    }
    rule.mutable_trigger()->set_probability(*given.probability);
  }
  if (given.per) {
    rule.mutable_trigger()->set_per(
        one_of("per", *given.per, {"connection", "transaction", "key"}));
  }
  if (given.window) read_window(given, *rule.mutable_trigger());
  if (given.nth && given.every) {
    fail("every", "nth= is one match, every= is many: say one of them");
  }
  if (given.nth && given.after && *given.nth <= *given.after) {
    fail("nth", fmt::format("nth={} never comes after={}", *given.nth, *given.after));
  }
}

/// window=("1s", "3s"); None as the second: without end.
void ActionReader::read_window(const ActionArguments& given, model::Trigger& trigger) const {
  const Value& window = *given.window;
  const bool pair = (window.as_tuple() != nullptr || window.as_list() != nullptr) &&
                    window.elements().size() == 2;
  DurationText from;
  DurationText to;
  const bool open = pair && window.elements()[1].is_none();
  if (!pair || !convert(window.elements()[0], from) ||
      !(open || convert(window.elements()[1], to))) {
    fail("window", "window= is two times from the start of the test, such as (\"1s\", \"3s\")");
  }
  if (!open && to.value <= from.value) fail("window", "window= ends before it begins");
  trigger.set_window_from_us(microseconds_of(from));
  if (!open) trigger.set_window_to_us(microseconds_of(to));
}

void ActionReader::read_traffic(const ActionArguments& given, RuleDraft& draft) const {
  const auto check = [this](std::string_view name, const Value& value,
                            const std::optional<std::string>& wanted) {
    if (!wanted) return;
    fail(name,
         fmt::format("for parameter \"{}\": got {}, want {}", name, value.type_name(), *wanted));
  };
  if (given.query) check("query", *given.query, draft.traffic.take_query(*given.query));
  for (std::size_t i = 0; i < kTrafficWords; ++i) {
    if (!given.traffic[i]) continue;
    const TrafficWord& word = traffic_words()[i];
    check(word.keyword, *given.traffic[i], draft.traffic.take(word, *given.traffic[i]));
  }
  const std::string& moment = draft.traffic.postgres.moment();
  if (!moment.empty()) one_of("moment", moment, {"startup", "idle"});
  const std::string& direction = draft.traffic.http.direction();
  if (!direction.empty()) one_of("direction", direction, {"to_server", "to_client"});
}

void ActionReader::read_common(const ActionArguments& given, model::Rule& rule) const {
  read_trigger(given, rule);
  if (given.label) {
    if (given.label->empty()) fail("label", "label= is empty");
    rule.set_label(*given.label);
  }
  if (given.may_stay_unfired) rule.set_may_stay_unfired(true);
  if (given.source) {
    const auto name = service_name_of(*given.source);
    if (!name) fail("source", "source= is a service or \"test\"");
    rule.set_source(*name);
  }
}

std::string ActionReader::one_of(std::string_view keyword, const std::string& value,
                                 const std::vector<std::string>& known) const {
  if (std::ranges::find(known, value) == known.end()) {
    fail(keyword, fmt::format("unknown {}=\"{}\"{}", keyword, value, did_you_mean(value, known)),
         "one of " + listed(known));
  }
  return value;
}

RuleDraft ActionReader::read(ActionVerb verb, const ActionArguments& given) {
  RuleDraft draft{.verb = verb,
                  .path = given.path,
                  .fd_kind = given.fd_kind,
                  .established = given.established,
                  .side_said = given.side.has_value(),
                  .at = args_.call_span()};
  for (std::size_t k = 0; k < args_.keywords().size(); ++k) {
    if (const Span at = args_.keyword_span(k)) draft.written.emplace(args_.keyword_name(k), at);
  }
  if (args_.size() > 0 && args_.span(0))
    draft.written.emplace(first_parameter(verb), args_.span(0));
  read_common(given, draft.rule);
  read_traffic(given, draft);
  if (given.fd_kind) one_of("fd_kind", *given.fd_kind, {"file", "socket", "pipe", "stdio"});
  if (given.established) one_of("established", *given.established, {"cut", "keep"});
  if (given.side) one_of("side", *given.side, {"request", "reply"});
  if (given.to) {
    draft.to = target_of(*given.to);
    if (!draft.to) fail("to", "to= is a service or an interface");
  }
  return draft;
}

}  // namespace misrule::dsl
