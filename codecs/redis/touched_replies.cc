// ToClient where a rule has a say: answers and pushes that are changed, made up or cut off.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codecs/redis/addresses.h"
#include "codecs/redis/page.h"
#include "codecs/redis/payload.h"
#include "codecs/redis/pushed.h"
#include "codecs/redis/to_client.h"

namespace misrule::codecs::redis {
namespace {

using Fate = Touched::Fate;

std::string made_up_text(std::string_view value) { return text_of(read_reply(value)); }

bool needs_whole(Verb::Kind kind) {
  return kind == Verb::Kind::kDuplicate || kind == Verb::Kind::kTruncate;
}

std::string damaged(ByteView bytes, const ReplyPlan& plan, std::uint64_t seed) {
  std::string changed(bytes);
  const bool is_changed = plan.framing
                              ? corrupt_framing(changed, seed)
                              : corrupt_payload(changed, payload_of(bytes), plan.bytes, seed);
  return is_changed ? changed : std::string();
}

}  // namespace

bool ToClient::take_touched(const Reply& reply, Step& step) {
  switch (head()->fate()) {
    case Fate::kLose:
      return lose(reply, step);
    case Fate::kMask:
      return mask(reply, step);
    case Fate::kDiscard:
      return inject(step);
    case Fate::kPoison:
      if (reply.type == '-') return inject(step);
      return lose_track("from the server: what cannot be done was done", step);
    case Fate::kRespond:
      return respond(reply, step);
    case Fate::kRewrite:
      return rewrite(reply, step);
    case Fate::kCorrupt:
      return corrupt(reply, step);
    case Fate::kTruncate:
      return truncate(reply, step);
    case Fate::kSecond:
      take_head();
      return replace_value({}, step);
    default:
      return pass_real(reply, step);
  }
}

bool ToClient::pass_real(const Reply& reply, Step& step) {
  return pass_value({.answers = true, .type = reply.type, .text = text_of(reply)}, step);
}

bool ToClient::inject(Step& step) {
  if (!scanner_.done()) return lose_track("from the server: an error is too long", step);
  const bool in_place_of_exec = head()->fate() == Fate::kDiscard;
  const Owed owed = take_head();
  if (owed.touched->plan) {
    step.act =
        Substitute{.bytes = scanned_,
                   .with = encoded_reply(owed.touched->plan->value, ReplyShape::kList, version_)};
    session_.tell_made_up(owed, "nil", ServerOutcome::kDidNot);
  } else {
    std::string& error = owed.touched->error;
    if (in_place_of_exec && !error.starts_with("EXECABORT")) {
      error.insert(0, "EXECABORT Transaction discarded because of: ");
    }
    step.act = Substitute{.bytes = scanned_, .with = "-" + error + "\r\n"};
    session_.tell_injected(owed);
  }
  if (in_place_of_exec) transaction_ended(true);
  value_ended({});
  return true;
}

bool ToClient::lose(const Reply& reply, Step& step) {
  const Owed owed = take_head();
  const bool refused = reply.is_error();
  session_.tell_injected(owed, refused ? ServerOutcome::kDidNot : ServerOutcome::kDid);
  if (owed.kind == CommandKind::kExec) {
    if (!refused && !reply.is_nil()) session_.tell_queue_untold();
    session_.tell_queue_undone(true);
  }
  return end_with({}, owed.touched->resets, step);
}

bool ToClient::mask(const Reply& reply, Step& step) {
  const Owed owed = take_head();
  const bool refused = reply.is_error();
  session_.tell_injected(owed, refused ? ServerOutcome::kDidNot : ServerOutcome::kDid);
  if (owed.kind == CommandKind::kExec) {
    if (!refused && !reply.is_nil()) session_.tell_queue_untold();
    transaction_ended(true);
  }
  return replace_value("-" + owed.touched->error + "\r\n", step);
}

bool ToClient::respond(const Reply& reply, Step& step) {
  const bool in_transaction = head()->queued || in_exec_;
  if (reply.is_error() && in_transaction) {
    session_.skip(*head(), "the server refused what was put in its place");
    return pass_real(reply, step);
  }
  if (!reply.is_error() && reply.type != '+') {
    return lose_track("from the server: what was put in a command's place had no answer", step);
  }
  const Owed owed = take_head();
  std::string value = encoded_reply(owed.touched->plan->value, owed.touched->shape, version_);
  session_.tell_made_up(owed, made_up_text(value), ServerOutcome::kDidNot);
  return replace_value(std::move(value), step);
}

bool ToClient::rewrite(const Reply& reply, Step& step) {
  const auto skip = [&](std::string_view why) {
    session_.skip(*head(), why);
    return pass_real(reply, step);
  };
  if (reply.is_error()) return skip("the server refused the command");
  std::string value;
  if (head()->wants_whole()) {
    const auto& edits = std::get<ValueMap>(head()->touched->plan->value.held);
    auto page = scanner_.done() ? edited_page(gathered_value(), edits, head()->touched->in_pairs)
                                : std::nullopt;
    if (!page) return skip("the reply is no page, or too long to be changed");
    value = *std::move(page);
  }
  const Owed owed = take_head();
  if (value.empty()) {
    value = encoded_reply(owed.touched->plan->value, owed.touched->shape, version_);
  }
  session_.tell_made_up(owed, made_up_text(value), ServerOutcome::kDid);
  if (owed.kind == CommandKind::kExec) {
    session_.tell_queue_untold();
    transaction_ended(true);
  }
  return replace_value(std::move(value), step);
}

bool ToClient::corrupt(const Reply& reply, Step& step) {
  const Touched& touched = *head()->touched;
  std::string changed = damaged(gathered_value(), *touched.plan, touched.seed);
  if (changed.empty()) {
    session_.skip(*head(), "the reply has no bytes to change");
    return pass_real(reply, step);
  }
  changed.insert(0, gathered_.substr(0, scanner_.value_offset()));
  return replace_front(std::move(changed),
                       {.answers = true, .type = reply.type, .text = text_of(reply)}, step);
}

bool ToClient::truncate(const Reply& reply, Step& step) {
  const auto cut = cut_after(payload_of(gathered_value()), head()->touched->plan->bytes);
  if (!cut) {
    session_.skip(*head(), "the reply has no more bytes than that");
    return pass_real(reply, step);
  }
  const Owed owed = take_head();
  session_.tell_cut_off(owed);
  return end_with(std::string(gathered_.substr(0, scanner_.value_offset() + *cut)), false, step);
}

// Where the client is sent, it shall meet a proxy as well.
bool ToClient::redirect(const Reply& reply, Step& step) {
  std::string error = readdressed_error(
      reply.line, [this](std::string_view node) { return session_.host.route_to(node); });
  if (error.empty() || !scanner_.done()) return pass_real(reply, step);
  return replace_front("-" + error + "\r\n",
                       {.answers = true, .type = '-', .text = std::string(reply.line)}, step);
}

bool ToClient::readdress(const Reply& reply, Step& step) {
  const auto form = static_cast<AddressForm>(head()->answers);
  std::string value = readdressed(gathered_value(), form, [this](std::string_view node) {
    return session_.host.route_to(node);
  });
  if (value.empty()) return pass_real(reply, step);
  return replace_front(std::move(value),
                       {.answers = true, .type = reply.type, .text = text_of(reply)}, step);
}

bool ToClient::replace_value(std::string with, Step& step) {
  step.act = Substitute{.bytes = scanned_, .with = std::move(with)};
  meaning_ = {};
  if (scanner_.done()) {
    value_ended({});
  } else {
    scanned_ = 0;
    partial_.clear();
    flowing_ = swallowing_ = true;
  }
  return true;
}

// What has not been gathered flows as it comes.
bool ToClient::replace_front(std::string with, Meaning meaning, Step& step) {
  const std::size_t bytes = scanned_;
  scanned_ = 0;
  pass_value(std::move(meaning), step);
  step.act = Substitute{.bytes = bytes, .with = std::move(with)};
  return true;
}

bool ToClient::end_with(std::string last, bool by_reset, Step& step) {
  session_.tell_all_unanswered("connection closed");
  session_.closed = true;
  step.act = Close{.reset = by_reset, .to_client = std::move(last)};
  return false;
}

bool ToClient::decide_push(ByteView value) {
  if (!session_.host.wants(Phase::kPush)) return false;
  const auto pushed = read_pushed(value);
  if (!pushed) return false;
  const PushDetails details(value.substr(pushed->payload_at));
  push_ = std::make_unique<Push>();
  push_->unit = ++session_.units;
  push_->payload_at = pushed->payload_at;
  push_->verb = session_.host.decide({.unit = push_->unit,
                                      .protocol = "redis",
                                      .operation = pushed->operation,
                                      .subject = pushed->channel,
                                      .state = "idle",
                                      .keys = {&pushed->channel, 1},
                                      .arguments = 1,
                                      .phase = Phase::kPush,
                                      .details = &details});
  return true;
}

// What is published belongs to no command: it may be lost, come twice or late.
bool ToClient::push(ByteView value, Step& step) {
  if (!push_ && !decide_push(value)) return pass_value({}, step);
  const Duration hold = std::exchange(push_->verb.hold, Duration::zero());
  if (hold != Duration::zero()) {
    held_ = push_->unit;
    step.act = Hold{.for_at_most = hold, .unit = push_->unit, .cancellable = false};
    return false;
  }
  const bool is_cut_short = !scanner_.done() && scanned_ < session_.limits.whole_reply_bytes_max;
  if (is_cut_short && needs_whole(push_->verb.kind)) return true;
  return carry_out_push(value, step);
}

void ToClient::tell_push(std::string_view what, bool failed) {
  session_.host.exchanged(
      {.unit = push_->unit, .reply = std::string(what), .failed = failed, .tag = push_->verb.tag});
}

// A verb that does not fit leaves the message as it is.
bool ToClient::pass_push(std::string_view why, Step& step) {
  if (!why.empty()) {
    session_.host.skipped(push_->unit, why);
    push_->verb.tag = 0;
  }
  tell_push("delivered", false);
  return pass_value({}, step);
}

bool ToClient::carry_out_push(ByteView value, Step& step) {
  const std::string front(gathered_.substr(0, scanner_.value_offset() + push_->payload_at));
  const ByteView payload = value.substr(push_->payload_at);
  const Verb& verb = push_->verb;
  switch (verb.kind) {
    case Verb::Kind::kSwallow:
      tell_push("dropped", true);
      return replace_value({}, step);
    case Verb::Kind::kClose:
    case Verb::Kind::kReset:
    case Verb::Kind::kLose:
      tell_push("connection closed", true);
      return end_with({}, verb.kind == Verb::Kind::kReset || verb.resets, step);
    case Verb::Kind::kDuplicate:
      if (!scanner_.done()) return pass_push("the message is too long to be kept", step);
      tell_push("delivered twice", false);
      return replace_value(fmt::format("{}{}", gathered_, gathered_), step);
    case Verb::Kind::kCorrupt: {
      const std::string changed = damaged(payload, *verb.plan, verb.seed);
      if (changed.empty()) return pass_push("the message has no bytes to change", step);
      tell_push("delivered, changed", false);
      return replace_front(front + changed, {}, step);
    }
    case Verb::Kind::kTruncate: {
      const auto cut = cut_after(payload_of(payload), verb.plan->bytes);
      if (!cut) return pass_push("the message has no more bytes than that", step);
      tell_push("cut off", true);
      return end_with(front + std::string(payload.substr(0, *cut)), false, step);
    }
    case Verb::Kind::kRewrite:
      tell_push("delivered, changed", false);
      return replace_value(front + encoded_reply(verb.plan->value, ReplyShape::kText, version_),
                           step);
    default:
      return pass_push({}, step);
  }
}

}  // namespace misrule::codecs::redis
