#include "codecs/http/reply_side.h"

#include <string>
#include <utility>
#include <variant>

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
  const bool nothing_owed = session_.requests_raw && session_.ledger().empty();
  if (nothing_owed && mode_ == Mode::kHead) session_.replies_raw = true;
  if (session_.replies_raw) {
    partial_.clear();
    step.pass += rest.size();
    return false;
  }
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

void ReplySide::flow(std::size_t bytes, Step& step) {
  if (masked_) {
    step.act = Substitute{.bytes = bytes};
  } else {
    step.pass += bytes;
  }
}

bool ReplySide::lose(Step& step) {
  session_.lose_front(status_);
  session_.finish_all();
  session_.closed = true;
  step.act = Close{};
  return false;
}

/// What the client is told at the end of a reply, in the place of what of it was held back.
void ReplySide::tell(std::string text, Step& step) {
  Injection ready = session_.take_ready();
  text += ready.bytes;
  if (ready.end != Injection::End::kNone) {
    ready.bytes = std::move(text);
    step.act = std::move(ready).as_close();
    return;
  }
  if (text.empty()) return;
  if (!step.act) step.act = Substitute{};
  std::get<Substitute>(*step.act).with = std::move(text);
}

bool ReplySide::take_head(const ResponseHead& head, Step& step) {
  status_ = head.status;
  const bool tunnels = solicited_ && session_.ledger().front().connect && status_ / 100 == 2;
  const bool is_final = status_ >= 200 && solicited_;
  if (is_final && session_.ledger().front().lost) return lose(step);
  masked_ = is_final && !tunnels && session_.ledger().front().masked;
  flow(head.wire.size(), step);
  if (status_ == 101 || tunnels) {
    enter_tunnel();
    return true;
  }
  if (status_ < 200) {
    const bool awaited = solicited_ && session_.ledger().front().unit == session_.awaits_continue;
    if (status_ == 100 && awaited) session_.awaits_continue = 0;
    return true;
  }
  const bool answers_head = solicited_ && session_.ledger().front().head;
  const BodyFraming framing = head.body(answers_head);
  closes_ = head.closes() || (solicited_ && session_.ledger().front().close_after);
  until_close_ = framing.kind == BodyFraming::Kind::kUntilClose;
  body_.start(framing);
  session_.reply_at_border = false;
  mode_ = Mode::kBody;
  return body_.done() ? complete(step) : true;
}

void ReplySide::enter_tunnel() {
  if (solicited_) session_.finish_front(status_);
  session_.finish_all_unseen();
  session_.all_opaque(status_ == 101 ? "switched to another protocol (101)" : "a CONNECT tunnel");
}

bool ReplySide::pass_body(ByteView rest, Step& step) {
  flow(body_.advance(rest), step);
  if (body_.error().has_value()) return lose_track("reply body: " + body_.error()->what, step);
  return body_.done() ? complete(step) : false;
}

bool ReplySide::complete(Step& step) {
  mode_ = Mode::kHead;
  session_.reply_at_border = true;
  std::string mask;
  if (solicited_) {
    Owed& owed = session_.ledger().front();
    if (owed.connect || owed.upgrade) session_.switch_pending = false;
    if (session_.awaits_continue == owed.unit) session_.body_uncertain = true;
    if (std::exchange(masked_, false)) mask = std::move(owed.answer);
    session_.finish_front(status_, mask);
  }
  if (closes_) session_.server_done = true;
  tell(std::move(mask), step);
  return true;
}

bool ReplySide::lose_track(std::string_view why, Step& step) {
  if (session_.owes_injection()) {
    session_.finish_all();
    session_.closed = true;
    step.act = Close{};
  } else {
    session_.finish_all_unseen();
  }
  session_.all_opaque(why);
  return true;
}

std::optional<Act> ReplySide::ended() {
  if (mode_ == Mode::kBody && until_close_ && solicited_) {
    if (masked_) partial_ = session_.ledger().front().answer;
    session_.finish_front(status_, partial_);
  }
  session_.server_done = true;
  session_.finish_all();
  session_.requests_raw = true;
  session_.replies_raw = true;
  if (partial_.empty()) return std::nullopt;
  return Substitute{.with = std::exchange(partial_, {})};
}

}  // namespace misrule::codecs::http
