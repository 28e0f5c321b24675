#include "codecs/http/request_side.h"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "codecs/http/path.h"

namespace misrule::codecs::http {

Step RequestSide::walk(ByteView unread) {
  Step step;
  if (held_.has_value()) return step;
  while (!step.act.has_value() && advance(unread.substr(step.pass), step)) {
  }
  return step;
}

std::optional<Act> RequestSide::ended() {
  if (partial_.empty()) return std::nullopt;
  return Substitute{.with = std::exchange(partial_, {})};
}

void RequestSide::released(Released why) {
  if (!held_.has_value()) return;
  if (why != Released::kDue) session_.host().hold_ended(*held_, why);
  held_.reset();
}

bool RequestSide::advance(ByteView rest, Step& step) {
  if (session_.closed || mode_ == Mode::kDiscard) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (session_.requests_raw) {
    partial_.clear();
    step.pass += rest.size();
    return false;
  }
  switch (mode_) {
    case Mode::kDecided:
      return carry_out(rest, step);
    case Mode::kBody:
      return pass_body(rest, step);
    case Mode::kDrain:
      return drain_body(rest, step);
    default:
      return read_head(rest, step);
  }
}

bool RequestSide::read_head(ByteView rest, Step& step) {
  if (rest.empty()) return false;
  if (session_.switch_pending) {
    partial_.clear();
    session_.requests_opaque("bytes after a request to switch protocols, before its answer");
    return true;
  }
  const auto next = decoder_.next(rest);
  if (const auto* more = std::get_if<NeedMore>(&next)) {
    partial_.append(rest.substr(partial_.size()));
    step.need = more->bytes_min;
    return false;
  }
  partial_.clear();
  if (const auto* error = std::get_if<DecodeError>(&next)) {
    session_.requests_opaque("request: " + error->what);
    return true;
  }
  if (std::holds_alternative<EmptyLine>(next)) {
    step.pass += 2;
    return true;
  }
  return take_request(std::get<RequestHead>(next), step);
}

Verb RequestSide::decide(const RequestHead& head) {
  std::string storage;
  return session_.host().decide({.unit = ++last_unit_,
                                 .protocol = "http",
                                 .operation = head.method,
                                 .subject = normal_path(head.target, storage),
                                 .text = head.target});
}

bool RequestSide::take_request(const RequestHead& head, Step& step) {
  const std::size_t pipelined_max = session_.limits().pipelined_max;
  if (session_.ledger().size() >= pipelined_max) {
    session_.requests_opaque(fmt::format("more than {} requests unanswered", pipelined_max));
    return true;
  }
  const bool is_head = head.method == "HEAD";
  current_ = {.head_bytes = head.wire.size(),
              .body = head.body(),
              .reply_to = {.head = is_head,
                           .old_keep_alive = head.minor == 0 && head.fields.keep_alive,
                           .close = head.closes()},
              .expects_continue = head.fields.expects_continue};
  Owed owed = {.close_after = head.closes(),
               .head = is_head,
               .connect = head.method == "CONNECT",
               .upgrade = head.fields.upgrade};
  current_.verb = decide(head);
  const Verb& verb = current_.verb;
  owed.unit = last_unit_;
  owed.tag = verb.tag;
  const bool reaches_server = verb.kind == Verb::Kind::kForward || verb.kind == Verb::Kind::kMask ||
                              verb.kind == Verb::Kind::kLose;
  const bool hold_reply = verb.hold_reply && reaches_server;
  if (hold_reply) owed.hold_reply = verb.hold;
  owed.lost = verb.kind == Verb::Kind::kLose;
  owed.masked = verb.kind == Verb::Kind::kMask;
  session_.ledger().push(std::move(owed));
  if (verb.hold == Duration::zero() || hold_reply) return carry_out(head.wire, step);
  mode_ = Mode::kDecided;
  held_ = last_unit_;
  step.act = Hold{.for_at_most = verb.hold, .unit = last_unit_};
  return false;
}

bool RequestSide::carry_out(ByteView rest, Step& step) {
  // A client that left meanwhile may have taken its request with it.
  if (rest.size() < current_.head_bytes) return false;
  Owed& owed = session_.ledger().back();
  switch (current_.verb.kind) {
    case Verb::Kind::kRespond:
    case Verb::Kind::kRewrite:
    case Verb::Kind::kDuplicate:
    case Verb::Kind::kCorrupt:
    case Verb::Kind::kTruncate:
    case Verb::Kind::kForward:
    case Verb::Kind::kLose:
      return forward(step);
    case Verb::Kind::kMask:
      append_reply(owed.answer, status_error(), current_.reply_to);
      return forward(step);
    case Verb::Kind::kReplace:
    case Verb::Kind::kPoison:
      return replace(step);
    case Verb::Kind::kSwallow:
      owed.fate = Owed::Fate::kNever;
      break;
    case Verb::Kind::kClose:
      owed.fate = Owed::Fate::kClose;
      break;
    case Verb::Kind::kReset:
      owed.fate = Owed::Fate::kReset;
      break;
  }
  mode_ = Mode::kDiscard;
  drop_and_emit(current_.head_bytes, step);
  return false;
}

bool RequestSide::forward(Step& step) {
  Owed& owed = session_.ledger().back();
  owed.fate = Owed::Fate::kForwarded;
  step.pass += current_.head_bytes;
  body_.start(current_.body);
  mode_ = body_.done() ? Mode::kHead : Mode::kBody;
  session_.switch_pending = owed.connect || owed.upgrade;
  session_.awaits_continue = current_.expects_continue && !body_.done() ? owed.unit : 0;
  session_.body_uncertain = false;
  return true;
}

bool RequestSide::replace(Step& step) {
  session_.ledger().back().fate = Owed::Fate::kAnswer;
  body_.start(current_.body);
  const bool too_long = current_.body.kind == BodyFraming::Kind::kLength &&
                        current_.body.length > session_.limits().drain_bytes_max;
  // Whoever waits for a 100 may send the body now or leave it out: no next request can be found.
  const bool uncertain = current_.expects_continue && !body_.done();
  if (too_long || uncertain) {
    prepare_answer(true);
  } else if (body_.done()) {
    prepare_answer(current_.reply_to.close);
  } else {
    mode_ = Mode::kDrain;
    drained_ = 0;
  }
  drop_and_emit(current_.head_bytes, step);
  return false;
}

ErrorText RequestSide::status_error() const {
  ErrorText error = current_.verb.error;
  if (error.status == 0) error.status = 500;
  return error;
}

void RequestSide::prepare_answer(bool close) {
  Owed& owed = session_.ledger().back();
  ReplyTo to = current_.reply_to;
  to.close = close;
  append_reply(owed.answer, status_error(), to);
  owed.close_after = close;
  owed.ready = true;
  mode_ = close ? Mode::kDiscard : Mode::kHead;
}

void RequestSide::drop_and_emit(std::size_t bytes, Step& step) {
  Injection ready;
  if (session_.reply_at_border) ready = session_.take_ready();
  if (ready.end != Injection::End::kNone) {
    step.act = std::move(ready).as_close();
  } else if (!ready.bytes.empty()) {
    step.act = Answer{.bytes = bytes, .with = std::move(ready.bytes)};
  } else {
    step.act = Substitute{.bytes = bytes};
  }
}

bool RequestSide::pass_body(ByteView rest, Step& step) {
  if (rest.empty()) return false;
  if (session_.body_uncertain) {
    session_.requests_opaque("bytes after a final reply to Expect: 100-continue");
    return true;
  }
  session_.awaits_continue = 0;
  step.pass += body_.advance(rest);
  if (body_.error().has_value()) {
    session_.requests_opaque("request body: " + body_.error()->what);
    return true;
  }
  if (!body_.done()) return false;
  mode_ = Mode::kHead;
  return true;
}

bool RequestSide::drain_body(ByteView rest, Step& step) {
  if (rest.empty()) return false;
  const std::size_t bytes = body_.advance(rest);
  drained_ += bytes;
  const bool too_long = drained_ > session_.limits().drain_bytes_max;
  if (body_.error().has_value() || too_long) {
    prepare_answer(true);
  } else if (body_.done()) {
    prepare_answer(current_.reply_to.close);
  }
  drop_and_emit(bytes, step);
  return false;
}

}  // namespace misrule::codecs::http
