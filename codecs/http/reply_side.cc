#include "codecs/http/reply_side.h"

#include <string>
#include <utility>
#include <variant>

#include "codecs/http/field_lines.h"
#include "codecs/http/replies.h"
#include "codecs/http/rewrite_head.h"

namespace misrule::codecs::http {

Step ReplySide::walk(ByteView unread) {
  Step step;
  if (held_.has_value()) return step;
  while (!step.act.has_value() && advance(unread.substr(step.pass), step)) {
  }
  return step;
}

void ReplySide::released(Released why) {
  if (!held_.has_value()) return;
  if (why != Released::kDue) session_.host().hold_ended(*held_, why);
  held_.reset();
}

bool ReplySide::advance(ByteView rest, Step& step) {
  if (session_.closed) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (session_.websocket != nullptr) return false;
  const bool nothing_owed = session_.requests_raw && session_.ledger().empty();
  if (nothing_owed && mode_ == Mode::kHead) session_.replies_raw = true;
  if (session_.replies_raw) {
    partial_.clear();
    step.pass += rest.size();
    return false;
  }
  if (mode_ == Mode::kBody && events_ != nullptr) return relay_events(rest, step);
  if (rest.empty()) return false;
  return mode_ == Mode::kHead ? read_head(rest, step) : pass_body(rest, step);
}

bool ReplySide::read_head(ByteView rest, Step& step) {
  Ledger& ledger = session_.ledger();
  // A server may speak unasked: 408 before it closes an idle connection.
  solicited_ = !ledger.empty() && ledger.front().fate == Owed::Fate::kForwarded;
  if (solicited_ && ledger.front().hold_reply != Duration::zero()) {
    held_ = ledger.front().unit;
    step.act = Hold{.for_at_most = std::exchange(ledger.front().hold_reply, {}), .unit = *held_};
    return false;
  }
  const auto next = decoder_.next(rest);
  if (const auto* more = std::get_if<NeedMore>(&next)) {
    partial_.append(rest.substr(partial_.size()));
    step.need = more->bytes_min;
    return false;
  }
  partial_.clear();
  if (const auto* error = std::get_if<DecodeError>(&next)) {
    return lose_track("reply: " + error->what, step);
  }
  return take_head(std::get<ResponseHead>(next), step);
}

bool ReplySide::take_head(const ResponseHead& head, Step& step) {
  status_ = head.status;
  const bool tunnels = solicited_ && front().connect && status_ / 100 == 2;
  if (status_ < 200 && status_ != 101) return take_interim(head, step);
  if (status_ >= 200 && solicited_) {
    if (decide_reply(step)) return false;
    const Verb* verb = front().on_reply.get();
    const bool loses =
        verb != nullptr && (verb->kind == Verb::Kind::kLose || verb->kind == Verb::Kind::kClose ||
                            verb->kind == Verb::Kind::kReset);
    if (loses) return lose(verb->resets || verb->kind == Verb::Kind::kReset, step);
  }
  if (status_ == 101 || tunnels) return enter_tunnel(head, tunnels, step);
  return begin_body(head, step);
}

bool ReplySide::take_interim(const ResponseHead& head, Step& step) {
  const bool awaited = solicited_ && session_.awaits_body_of(front());
  if (status_ == 100 && awaited) session_.awaits_continue = 0;
  if (solicited_ && front().repeated) {
    step.act = Substitute{.bytes = head.wire.size()};
  } else {
    step.pass += head.wire.size();
  }
  return true;
}

bool ReplySide::decide_reply(Step& step) {
  Owed& owed = front();
  if (std::exchange(owed.reply_decided, true)) return false;
  if (owed.on_reply != nullptr || owed.asked == nullptr) return false;
  if (!session_.host().wants(Phase::kReply)) return false;
  RequestDetails details(*owed.asked);
  details.with_status(status_);
  Facts facts = owed.asked->facts(Phase::kReply, owed.unit);
  facts.details = &details;
  Verb verb = session_.host().decide(facts);
  if (verb.tag != 0) owed.tag = verb.tag;
  const Duration hold = verb.hold;
  if (verb.kind != Verb::Kind::kForward) owed.on_reply = std::make_unique<Verb>(std::move(verb));
  if (hold == Duration::zero()) return false;
  held_ = owed.unit;
  step.act = Hold{.for_at_most = hold, .unit = *held_};
  return true;
}

bool ReplySide::lose(bool resets, Step& step) {
  session_.lose_front(status_);
  session_.finish_all();
  session_.closed = true;
  step.act = Close{.reset = resets};
  return false;
}

bool ReplySide::begin_body(const ResponseHead& head, Step& step) {
  const BodyFraming framing = head.body(solicited_ && front().head);
  closes_ = head.closes() || (solicited_ && front().close_after);
  until_close_ = framing.kind == BodyFraming::Kind::kUntilClose;
  body_.start(framing);
  change_.reset();
  events_.reset();
  tail_.clear();
  told_status_ = 0;
  Instead instead;
  if (solicited_ && front().repeated) {
    change_ = swallow_body({});
    instead.emplace();
  } else if (solicited_ && front().on_reply != nullptr) {
    instead = carry_out(head, framing);
  }
  const bool endless = until_close_ || framing.kind == BodyFraming::Kind::kChunked;
  if (solicited_ && endless && change_ == nullptr && front().asked != nullptr &&
      is_event_stream(head.wire)) {
    events_ = std::make_unique<EventRelay>(session_, std::move(front().asked), !until_close_);
  }
  if (instead.has_value()) {
    step.act = Substitute{.bytes = head.wire.size(), .with = *std::move(instead)};
  } else {
    step.pass += head.wire.size();
  }
  session_.reply_at_border = false;
  mode_ = Mode::kBody;
  return body_.done() ? complete(step) : true;
}

ReplySide::Instead ReplySide::carry_out(const ResponseHead& head, const BodyFraming& framing) {
  const Verb& verb = *front().on_reply;
  switch (verb.kind) {
    case Verb::Kind::kMask:
    case Verb::Kind::kReplace:
    case Verb::Kind::kPoison:
    case Verb::Kind::kRespond:
      return tell_instead(verb);
    case Verb::Kind::kRewrite:
      return rewrite(head, framing, verb);
    case Verb::Kind::kCorrupt:
      return corrupt(head, framing, verb);
    case Verb::Kind::kTruncate:
      return truncate(framing, verb.plan->bytes);
    case Verb::Kind::kForward:
      return std::nullopt;
    default:
      return skip("this cannot be done to a reply");
  }
}

ReplySide::Instead ReplySide::tell_instead(const Verb& verb) {
  const Owed& owed = front();
  std::string answer;
  append_told(
      answer, verb,
      {.head = owed.head, .old_keep_alive = owed.old_keep_alive, .close = owed.close_after});
  told_status_ = told_status(verb);
  change_ = swallow_body(std::move(answer));
  return std::string();
}

ReplySide::Instead ReplySide::rewrite(const ResponseHead& head, const BodyFraming& framing,
                                      const Verb& verb) {
  const ReplyPlan& plan = *verb.plan;
  if (!plan.edits.empty()) {
    const std::string why = why_not_rewritten(head, framing, plan, session_.limits());
    if (!why.empty()) return skip(why);
    change_ = rewrite_body(head, framing, verb.plan, session_.limits());
    if (plan.status != status_) told_status_ = plan.status;
    return std::string();
  }
  if (plan.status != status_) told_status_ = plan.status;
  if (is_bodiless(plan.status) && plan.status != 0) change_ = swallow_body({});
  return rewritten_head(head.wire, status_, plan, front().head);
}

ReplySide::Instead ReplySide::corrupt(const ResponseHead& head, const BodyFraming& framing,
                                      const Verb& verb) {
  if (const std::string why = why_not_damaged(framing, *verb.plan); !why.empty()) return skip(why);
  if (verb.plan->framing && framing.kind == BodyFraming::Kind::kLength) {
    return with_wrong_length(head.wire, framing);
  }
  change_ = damage_body(verb, framing);
  return std::nullopt;
}

ReplySide::Instead ReplySide::truncate(const BodyFraming& framing, std::uint64_t bytes) {
  if (const std::string why = why_not_cut(framing, bytes); !why.empty()) return skip(why);
  change_ = cut_body(bytes);
  return std::nullopt;
}

ReplySide::Instead ReplySide::skip(std::string_view why) {
  session_.host().skipped(front().unit, why);
  front().tag = 0;
  told_status_ = 0;
  return std::nullopt;
}

bool ReplySide::enter_tunnel(const ResponseHead& head, bool tunnels, Step& step) {
  step.pass += head.wire.size();
  const bool websocket = !tunnels && solicited_ && front().websocket && front().asked != nullptr &&
                         session_.ledger().size() == 1;
  if (websocket) {
    session_.websocket = std::move(front().asked);
    const auto extensions = find_field(head.wire, "sec-websocket-extensions");
    session_.websocket_compressed = extensions.has_value() && !extensions->empty();
    session_.finish_front(status_);
    return false;
  }
  if (solicited_) session_.finish_front(status_);
  session_.finish_all_unseen();
  session_.all_opaque(tunnels ? "a CONNECT tunnel" : "switched to another protocol (101)");
  return true;
}

bool ReplySide::pass_body(ByteView rest, Step& step) {
  if (change_ != nullptr) return change_body(rest, step);
  step.pass += body_.advance(rest);
  if (body_.error().has_value()) return lose_track("reply body: " + body_.error()->what, step);
  return body_.done() ? complete(step) : false;
}

bool ReplySide::change_body(ByteView rest, Step& step) {
  payload_.clear();
  const std::size_t bytes = body_.advance(rest, &payload_);
  Substitute flow = {.bytes = bytes};
  const bool goes_on = change_->take(
      {.wire = rest.substr(0, bytes), .payload = payload_, .reader = body_}, flow.with);
  payload_.clear();
  if (!goes_on) return cut(std::move(flow.with), step);
  if (!change_->given_up().empty()) {
    skip(change_->given_up());
    change_.reset();
  }
  step.act = std::move(flow);
  if (body_.error().has_value()) return lose_track("reply body: " + body_.error()->what, step);
  return body_.done() ? complete(step) : false;
}

bool ReplySide::relay_events(ByteView rest, Step& step) {
  if (!events_->decides(body_)) {
    if (rest.empty()) return false;
    const std::size_t bytes = body_.advance(rest, &payload_);
    events_->saw(payload_);
    payload_.clear();
    step.pass += bytes;
    if (body_.error().has_value()) return lose_track("reply body: " + body_.error()->what, step);
    return body_.done() ? complete(step) : false;
  }
  step.act = events_->next();
  if (step.act.has_value()) {
    if (const auto* hold = std::get_if<Hold>(&*step.act)) held_ = hold->unit;
    return false;
  }
  if (body_.error().has_value()) return lose_track("reply body: " + body_.error()->what, step);
  if (body_.done()) return complete(step);
  if (rest.empty()) return false;
  const std::size_t tail_before = body_.tail_bytes();
  const std::size_t bytes = body_.advance(rest, &payload_);
  events_->add(payload_);
  payload_.clear();
  const std::size_t tail = body_.tail_bytes() - tail_before;
  tail_ += rest.substr(bytes - std::min(tail, bytes), tail);
  step.act = Substitute{.bytes = bytes};
  return false;
}

bool ReplySide::cut(std::string text, Step& step) {
  session_.lose_front(status_, true);
  session_.finish_all();
  session_.closed = true;
  change_.reset();
  step.act = Close{.to_client = std::move(text)};
  return false;
}

bool ReplySide::complete(Step& step) {
  mode_ = Mode::kHead;
  session_.reply_at_border = true;
  std::string text;
  std::string how;
  if (change_ != nullptr) {
    change_->end(true, text);
    if (!change_->given_up().empty()) {
      skip(change_->given_up());
    } else {
      how = change_->what();
    }
    change_.reset();
  }
  if (events_ != nullptr) text += events_->finish(tail_);
  events_.reset();
  if (solicited_) {
    const Owed& owed = front();
    if (owed.connect || owed.upgrade) session_.switch_pending = false;
    if (session_.awaits_body_of(owed)) session_.body_uncertain = true;
    session_.finish_front(status_, {.status = told_status_, .how = how});
  }
  if (closes_) session_.server_done = true;
  tell(std::move(text), step);
  return true;
}

/// What the client is told at the end of a reply, in the place of what of it was held back.
void ReplySide::tell(std::string text, Step& step) {
  Injection ready = session_.take_ready();
  text += ready.bytes;
  if (step.act.has_value()) {
    std::string& flows = std::get<Substitute>(*step.act).with;
    if (ready.end == Injection::End::kNone) {
      flows += text;
      return;
    }
    text.insert(0, flows);
  }
  if (ready.end != Injection::End::kNone) {
    ready.bytes = std::move(text);
    step.act = std::move(ready).as_close();
  } else if (!text.empty()) {
    step.act = Substitute{.with = std::move(text)};
  }
}

bool ReplySide::lose_track(std::string_view why, Step& step) {
  std::string text;
  if (step.act.has_value()) text = std::get<Substitute>(*step.act).with;
  if (change_ != nullptr) {
    change_->end(false, text);
    if (!change_->given_up().empty()) skip(change_->given_up());
  }
  if (events_ != nullptr) text += events_->finish({});
  change_.reset();
  events_.reset();
  if (session_.owes_injection()) {
    session_.finish_all();
    session_.closed = true;
    step.act = Close{.to_client = std::move(text)};
  } else {
    session_.finish_all_unseen();
    if (step.act.has_value()) {
      std::get<Substitute>(*step.act).with = std::move(text);
    } else if (!text.empty()) {
      step.act = Substitute{.with = std::move(text)};
    }
  }
  session_.all_opaque(why);
  return true;
}

std::optional<Act> ReplySide::ended() {
  std::string text = std::exchange(partial_, {});
  const bool whole = mode_ == Mode::kBody && until_close_;
  std::string how;
  if (change_ != nullptr && !session_.closed && solicited_) {
    change_->end(whole, text);
    if (!change_->given_up().empty()) {
      skip(change_->given_up());
    } else {
      how = change_->what();
    }
  }
  if (events_ != nullptr && !session_.closed) text += events_->finish({});
  change_.reset();
  events_.reset();
  if (whole && solicited_ && !session_.closed) {
    session_.finish_front(status_, {.status = told_status_, .how = how});
  }
  session_.server_done = true;
  session_.finish_all();
  session_.requests_raw = true;
  session_.replies_raw = true;
  if (text.empty()) return std::nullopt;
  return Substitute{.with = std::move(text)};
}

}  // namespace misrule::codecs::http
