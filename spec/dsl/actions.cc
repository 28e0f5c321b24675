// deny(), delay(), error(), drop(), lost_reply(), reset(), close(), hold(): what can go wrong.

#include <algorithm>

#include <fmt/format.h>

#include "spec/dsl/action_reader.h"
#include "spec/dsl/builtins.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

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
  args.unpack(with_traffic({keyword("message", given.message), keyword("code", given.code),
                            keyword("status", given.status), keyword("body", given.body),
                            keyword("mode", given.mode), keyword("after_rows", given.after_rows)},
                           given));
  ActionReader reader(args);
  RuleDraft draft = reader.read(ActionVerb::kError, given);
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
  if (given.after_rows) error.set_after_rows(reader.count("after_rows", *given.after_rows, 0));
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

Value make_ended(Args& args, bool by_reset) {
  ActionArguments given;
  args.unpack(with_traffic({keyword("side", given.side)}, given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kDrop, given);
  model::Drop& drop = *draft.rule.mutable_drop();
  if (given.side) drop.set_side(*given.side);
  if (by_reset) drop.set_reset(true);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

}  // namespace

Value make_reset(Args& args) { return make_ended(args, true); }
Value make_close(Args& args) { return make_ended(args, false); }

Value make_hold(Args& args) {
  ActionArguments given;
  args.unpack(with_traffic({keyword("side", given.side)}, given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kHold, given);
  model::Hold& hold = *draft.rule.mutable_hold();
  if (given.side) hold.set_side(*given.side);
  return Value::object(star::make<RuleValue>(std::move(draft)));
}

}  // namespace misrule::dsl
