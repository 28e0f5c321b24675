#include "spec/dsl/rule_value.h"

#include <algorithm>
#include <map>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Param;
using star::Span;
using star::Value;

std::string_view verb_name(ActionVerb verb) {
  constexpr std::string_view kNames[] = {"deny", "delay", "error", "drop", "link"};
  return kNames[static_cast<std::size_t>(verb)];
}

std::string_view first_parameter(ActionVerb verb) {
  constexpr std::string_view kNames[] = {"errno", "duration", "query", "query", "latency"};
  return kNames[static_cast<std::size_t>(verb)];
}

void RuleValue::write_repr(star::Writer& out) const {
  out.text(fmt::format("<action {}>", draft_.at ? draft_.at.text() : verb_name(draft_.verb)));
}

std::optional<model::Target> target_of(const Value& value) {
  model::Target target;
  if (const auto* service = value.as<ServiceValue>(); service != nullptr) {
    target.set_service(service->declared().name);
    return target;
  }
  if (const auto* interface = value.as<InterfaceValue>(); interface != nullptr) {
    target.set_service(interface->service());
    target.set_interface(interface->declared().name);
    return target;
  }
  return std::nullopt;
}

const std::vector<std::string>& action_keywords(std::string_view name) {
  using Names = std::vector<std::string>;
  static const auto joined = [](Names own, const Names& more) {
    own.insert(own.end(), more.begin(), more.end());
    return own;
  };
  static const Names kCommon = {"label", "optional", "source", "times",
                                "nth",   "after",    "every",  "probability"};
  static const Names kTraffic = joined({"query", "user", "database", "application_name",
                                        "in_transaction", "method", "path", "command", "key"},
                                       kCommon);
  static const std::map<std::string, Names, std::less<>> kByVerb = {
      {"deny", joined({"errno", "path", "fd_kind", "to", "established"}, kCommon)},
      {"delay", joined({"duration", "jitter", "distribution", "side", "fd_kind", "to"}, kTraffic)},
      {"error", joined({"message", "code", "status", "body", "mode"}, kTraffic)},
      {"drop", joined({"mode", "side"}, kTraffic)},
      {"lost_reply", kTraffic},
      {"link", joined({"latency", "jitter", "bandwidth", "slice", "slice_delay", "close_after",
                       "reset_after", "slow_close", "blackhole", "half_close", "direction"},
                      kCommon)},
  };
  static const std::vector<std::string> kNone;
  const auto found = kByVerb.find(name);
  return found == kByVerb.end() ? kNone : found->second;
}

namespace {

/// Everything that some action takes; each takes a part of it.
struct ActionArguments {
  std::string errno_name = {};
  DurationText duration = {};
  std::optional<std::string> query = {};
  std::optional<std::string> method = {};
  std::optional<std::string> path = {};
  std::optional<std::string> command = {};
  std::optional<std::string> key = {};
  std::optional<std::string> fd_kind = {};
  std::optional<std::string> established = {};
  std::optional<std::string> side = {};
  std::optional<std::string> mode = {};
  std::optional<std::string> message = {};
  std::optional<std::string> code = {};
  std::optional<std::int64_t> status = {};
  std::optional<std::string> body = {};
  std::optional<Value> to = {};
  std::optional<std::string> label = {};
  bool may_stay_unfired = false;
  std::optional<Value> source = {};
  std::optional<std::int64_t> times = {};
  std::optional<std::int64_t> nth = {};
  std::optional<std::int64_t> after = {};
  std::optional<std::int64_t> every = {};
  std::optional<double> probability = {};
  std::optional<DurationText> jitter = {};
  std::optional<std::string> distribution = {};
  std::optional<std::string> user = {};
  std::optional<std::string> database = {};
  std::optional<std::string> application_name = {};
  std::optional<bool> in_transaction = {};
};

std::uint64_t microseconds_of(const DurationText& text) {
  return static_cast<std::uint64_t>(text.value.count() / 1000);
}

template <class T>
Param keyword(std::string_view name, T& out) {
  return star::optional(name, out).by_keyword();
}

/// `own` and what every action takes: when it fires, for whom, and what it is called.
std::vector<Param> with_common(std::vector<Param> own, ActionArguments& given) {
  own.insert(own.end(), {keyword("label", given.label), keyword("optional", given.may_stay_unfired),
                         keyword("source", given.source), keyword("times", given.times),
                         keyword("nth", given.nth), keyword("after", given.after),
                         keyword("every", given.every), keyword("probability", given.probability)});
  return own;
}

/// That, and what narrows an action on traffic.
std::vector<Param> with_traffic(std::vector<Param> own, ActionArguments& given) {
  own.insert(
      own.end(),
      {keyword("query", given.query), keyword("user", given.user),
       keyword("database", given.database), keyword("application_name", given.application_name),
       keyword("in_transaction", given.in_transaction), keyword("method", given.method),
       keyword("path", given.path), keyword("command", given.command), keyword("key", given.key)});
  return with_common(std::move(own), given);
}

class ActionReader {
 public:
  explicit ActionReader(const Args& args) : args_(args) {}

  RuleDraft read(ActionVerb verb, const ActionArguments& given);
  std::uint64_t count(std::string_view keyword, std::int64_t value, std::int64_t least) const;
  [[noreturn]] void fail(std::string_view keyword, const std::string& message,
                         std::string help = {}) const {
    args_.fail_at(span_of(keyword), star::code::kValue, message, std::move(help));
  }
  std::string one_of(std::string_view keyword, const std::string& value,
                     const std::vector<std::string>& known) const;

 private:
  Span span_of(std::string_view keyword) const {
    const auto index = args_.find_keyword(keyword);
    return index ? args_.keyword_value_span(*index) : args_.call_span();
  }
  void read_trigger(const ActionArguments& given, model::Rule& rule) const;
  void read_common(const ActionArguments& given, model::Rule& rule) const;

  const Args& args_;
};

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
  if (given.nth && given.every) {
    fail("every", "nth= is one match, every= is many: say one of them");
  }
  if (given.nth && given.after && *given.nth <= *given.after) {
    fail("nth", fmt::format("nth={} never comes after={}", *given.nth, *given.after));
  }
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
                  .query = given.query,
                  .method = given.method,
                  .path = given.path,
                  .command = given.command,
                  .key = given.key,
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
  if (given.user) draft.session.set_user(*given.user);
  if (given.database) draft.session.set_database(*given.database);
  if (given.application_name) draft.session.set_application_name(*given.application_name);
  if (given.in_transaction) draft.session.set_in_transaction(*given.in_transaction);
  if (given.fd_kind) one_of("fd_kind", *given.fd_kind, {"file", "socket", "pipe", "stdio"});
  if (given.established) one_of("established", *given.established, {"cut", "keep"});
  if (given.side) one_of("side", *given.side, {"request", "reply"});
  if (given.to) {
    draft.to = target_of(*given.to);
    if (!draft.to) fail("to", "to= is a service or an interface");
  }
  return draft;
}

std::vector<std::string> errno_candidates(const Args& args) {
  return session_of(args).options.errno_names;
}

}  // namespace

Value make_deny(Args& args) {
  ActionArguments given;
  args.unpack(with_common({star::required("errno", given.errno_name), keyword("path", given.path),
                           keyword("fd_kind", given.fd_kind), keyword("to", given.to),
                           keyword("established", given.established)},
                          given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kDeny, given);
  const auto known = errno_candidates(args);
  if (!known.empty() && std::ranges::find(known, given.errno_name) == known.end()) {
    const auto index = args.find_keyword("errno");
    args.fail_at(args.size() > 0 ? args.span(0)
                                 : (index ? args.keyword_value_span(*index) : args.call_span()),
                 star::code::kValue,
                 fmt::format("unknown error \"{}\"{}", given.errno_name,
                             did_you_mean(given.errno_name, known)),
                 "an errno's name, such as \"EIO\", \"ENOSPC\", \"ECONNREFUSED\"");
  }
  draft.rule.mutable_deny()->set_error(given.errno_name);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

Value make_delay(Args& args) {
  ActionArguments given;
  args.unpack(
      with_traffic({star::required("duration", given.duration), keyword("jitter", given.jitter),
                    keyword("distribution", given.distribution), keyword("side", given.side),
                    keyword("fd_kind", given.fd_kind), keyword("to", given.to)},
                   given));
  ActionReader reader(args);
  RuleDraft draft = reader.read(ActionVerb::kDelay, given);
  model::Delay& delay = *draft.rule.mutable_delay();
  delay.set_duration_us(microseconds_of(given.duration));
  if (given.side) delay.set_side(*given.side);
  if (given.jitter) delay.set_jitter_us(microseconds_of(*given.jitter));
  if (given.distribution) {
    delay.set_distribution(
        reader.one_of("distribution", *given.distribution, {"uniform", "normal", "pareto"}));
    if (!given.jitter) reader.fail("distribution", "distribution= wants jitter=, which it spreads");
  }
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

Value make_error(Args& args) {
  ActionArguments given;
  args.unpack(with_traffic(
      {keyword("message", given.message), keyword("code", given.code),
       keyword("status", given.status), keyword("body", given.body), keyword("mode", given.mode)},
      given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kError, given);
  model::ErrorReply& error = *draft.rule.mutable_error();
  if (given.message) error.set_message(*given.message);
  if (given.code) error.set_code(*given.code);
  if (given.status) {
    const auto index = args.find_keyword("status");
    if (*given.status < 100 || *given.status > 599) {
      args.fail_at(args.keyword_value_span(*index), star::code::kValue,
                   fmt::format("status={} is no HTTP status", *given.status));
    }
    error.set_status(static_cast<std::uint32_t>(*given.status));
  }
  if (given.body) error.set_body(*given.body);
  if (given.mode) error.set_mode(*given.mode);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

Value make_drop(Args& args) {
  ActionArguments given;
  args.unpack(with_traffic({keyword("mode", given.mode), keyword("side", given.side)}, given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kDrop, given);
  model::Drop& drop = *draft.rule.mutable_drop();
  if (given.mode) drop.set_mode(*given.mode);
  if (given.side) drop.set_side(*given.side);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

Value make_lost_reply(Args& args) {
  ActionArguments given;
  args.unpack(with_traffic({}, given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kDrop, given);
  draft.rule.mutable_drop()->set_side("reply");
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

namespace {

/// What link() takes beside what every action takes.
struct LinkArguments {
  std::optional<DurationText> latency = {};
  std::optional<DurationText> jitter = {};
  std::optional<RateText> bandwidth = {};
  std::optional<std::int64_t> slice = {};
  std::optional<DurationText> slice_delay = {};
  std::optional<std::int64_t> close_after = {};
  std::optional<std::int64_t> reset_after = {};
  std::optional<DurationText> slow_close = {};
  bool blackhole = false;
  bool half_close = false;
  std::optional<std::string> direction = {};
};

model::LinkFault link_fault(const ActionReader& reader, const LinkArguments& given) {
  model::LinkFault link;
  if (given.latency) link.set_latency_us(microseconds_of(*given.latency));
  if (given.jitter) link.set_jitter_us(microseconds_of(*given.jitter));
  if (given.bandwidth) link.set_bandwidth(given.bandwidth->bytes_per_second);
  if (given.slice) link.set_slice_bytes(reader.count("slice", *given.slice, 1));
  if (given.slice_delay) link.set_slice_delay_us(microseconds_of(*given.slice_delay));
  if (given.close_after) link.set_close_after(reader.count("close_after", *given.close_after, 0));
  if (given.reset_after) link.set_reset_after(reader.count("reset_after", *given.reset_after, 0));
  if (given.slow_close) link.set_slow_close_us(microseconds_of(*given.slow_close));
  if (given.blackhole) link.set_blackhole(true);
  if (given.half_close) link.set_half_close(true);
  if (given.direction) link.set_direction(*given.direction);
  return link;
}

}  // namespace

Value make_link(Args& args) {
  ActionArguments given;
  LinkArguments link;
  args.unpack(with_common(
      {keyword("latency", link.latency), keyword("jitter", link.jitter),
       keyword("bandwidth", link.bandwidth), keyword("slice", link.slice),
       keyword("slice_delay", link.slice_delay), keyword("close_after", link.close_after),
       keyword("reset_after", link.reset_after), keyword("slow_close", link.slow_close),
       keyword("blackhole", link.blackhole), keyword("half_close", link.half_close),
       keyword("direction", link.direction)},
      given));
  ActionReader reader(args);
  RuleDraft draft = reader.read(ActionVerb::kLink, given);
  *draft.rule.mutable_link() = link_fault(reader, link);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

}  // namespace misrule::dsl
