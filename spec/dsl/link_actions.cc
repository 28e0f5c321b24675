// link() and throttle(): what happens to a connection's bytes, whatever they mean.

#include "spec/dsl/action_reader.h"
#include "spec/dsl/builtins.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

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
  bool stall = false;
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
  if (given.stall) link.set_stall(true);
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
       keyword("stall", link.stall), keyword("direction", link.direction)},
      given));
  ActionReader reader(args);
  RuleDraft draft = reader.read(ActionVerb::kLink, given);
  *draft.rule.mutable_link() = link_fault(reader, link);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

Value make_throttle(Args& args) {
  ActionArguments given;
  RateText rate;
  std::optional<std::string> direction;
  args.unpack(with_common({star::required("rate", rate), keyword("direction", direction)}, given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kLink, given);
  draft.rule.mutable_link()->set_bandwidth(rate.bytes_per_second);
  if (direction) draft.rule.mutable_link()->set_direction(*direction);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

}  // namespace misrule::dsl
