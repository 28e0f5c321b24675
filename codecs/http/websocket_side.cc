#include "codecs/http/websocket_side.h"

#include <algorithm>
#include <variant>

#include "codecs/http/damage.h"

namespace misrule::codecs::http {

Step WebSocketSide::walk(ByteView unread) {
  Step step;
  if (held_.has_value()) return step;
  while (!step.act.has_value() && advance(unread.substr(step.pass), step)) {
  }
  return step;
}

std::optional<Act> WebSocketSide::ended() {
  if (session_.closed) return std::nullopt;
  std::string last = std::exchange(message_, {}) + std::exchange(partial_, {});
  if (verb_.has_value()) {
    done("connection closed", true, false);
    verb_.reset();
    return std::nullopt;
  }
  if (last.empty()) return std::nullopt;
  return Substitute{.with = std::move(last)};
}

void WebSocketSide::released(Released why) {
  if (!held_.has_value()) return;
  if (why != Released::kDue) session_.host().hold_ended(*held_, why);
  held_.reset();
}

bool WebSocketSide::advance(ByteView rest, Step& step) {
  if (session_.closed) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (verb_.has_value()) return carry_out(step);
  if (session_.requests_raw) {
    partial_.clear();
    if (!message_.empty()) {
      step.act = Substitute{.with = std::exchange(message_, {})};
    } else {
      step.pass += rest.size();
    }
    return false;
  }
  if (rest.empty()) return false;
  return left_ > 0 ? take_payload(rest, step) : read_head(rest, step);
}

bool WebSocketSide::read_head(ByteView rest, Step& step) {
  const auto next = read_frame_head(rest, from_client_);
  if (const auto* more = std::get_if<NeedMore>(&next)) {
    partial_.append(rest.substr(partial_.size()));
    step.need = more->bytes_min;
    return false;
  }
  partial_.clear();
  if (const auto* error = std::get_if<DecodeError>(&next)) {
    return lose_track("websocket: " + error->what, step);
  }
  const auto& head = std::get<FrameHead>(next);
  return take_head(head, rest.substr(0, head.bytes), step);
}

bool WebSocketSide::take_head(const FrameHead& head, ByteView wire, Step& step) {
  if (!head.is_control()) {
    const bool continues = head.opcode == FrameHead::Opcode::kContinuation;
    if (continues != (way_ != Way::kNone)) {
      return lose_track("websocket: a message within another, or a part of none", step);
    }
    if (!continues) begin_message(head);
    if (way_ == Way::kNone) return lose_track("websocket messages are compressed", step);
  }
  frame_ = head;
  left_ = head.length;
  message_ends_ = !head.is_control() && head.fin;
  frame_passes_ = head.is_control() || way_ == Way::kPass;
  if (frame_passes_) {
    step.pass += wire.size();
    if (!from_client_) session_.client_at_frame_border = false;
  } else {
    if (way_ == Way::kGather) message_ += wire;
    step.act = Substitute{.bytes = wire.size()};
  }
  return left_ == 0 ? end_frame(step) : !step.act.has_value();
}

void WebSocketSide::begin_message(const FrameHead& head) {
  const bool wanted = session_.host().wants(Phase::kWebSocket);
  way_ = wanted ? Way::kGather : Way::kPass;
  // Since before there was a rule: nothing of it can be seen.
  if (wanted && (head.compressed || session_.websocket_compressed)) way_ = Way::kNone;
  text_.clear();
  payload_.clear();
}

bool WebSocketSide::take_payload(ByteView rest, Step& step) {
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
  if (frame_passes_) {
    step.pass += bytes;
  } else {
    step.act = Substitute{.bytes = bytes};
  }
  if (!frame_passes_ && way_ == Way::kGather) {
    payload_.emplace_back(message_.size(), bytes);
    message_ += rest.substr(0, bytes);
    std::uint64_t at = frame_.length - left_;
    for (const char byte : rest.substr(0, bytes)) {
      const auto mask = static_cast<unsigned char>(frame_.mask[at++ % 4]);
      text_.push_back(static_cast<char>(static_cast<unsigned char>(byte) ^ mask));
    }
  }
  left_ -= bytes;
  if (left_ == 0) return end_frame(step);
  // Too long to be taken whole: decided by its beginning.
  if (way_ == Way::kGather && !frame_passes_ && beyond()) return decide(step);
  return !step.act.has_value();
}

bool WebSocketSide::end_frame(Step& step) {
  if (frame_passes_ && !from_client_) session_.client_at_frame_border = true;
  if (way_ == Way::kGather && !frame_passes_ && (message_ends_ || beyond())) return decide(step);
  if (message_ends_) way_ = Way::kNone;
  return !step.act.has_value();
}

/// The message stands in message_, whole or its beginning; it is carried out with the next walk,
/// because this step has taken its last bytes already.
bool WebSocketSide::decide(Step&) {
  unit_ = session_.next_unit();
  RequestDetails details(*session_.websocket);
  details.with_message(text_, from_client_ ? "to_server" : "to_client");
  Facts facts = session_.websocket->facts(Phase::kWebSocket, unit_);
  facts.details = &details;
  verb_ = session_.host().decide(facts);
  return false;
}

bool WebSocketSide::carry_out(Step& step) {
  if (verb_->hold != Duration::zero()) {
    held_ = unit_;
    step.act = Hold{.for_at_most = std::exchange(verb_->hold, {}), .unit = unit_};
    return false;
  }
  const Verb verb = *std::exchange(verb_, std::nullopt);
  const bool whole = left_ == 0 && message_ends_;
  way_ = whole ? Way::kNone : Way::kPass;
  frame_passes_ = true;
  std::string flows = std::exchange(message_, {});
  const bool nothing = verb.kind == Verb::Kind::kCorrupt && !verb.plan->framing && text_.empty();
  const bool needs_whole = verb.kind == Verb::Kind::kDuplicate || verb.kind == Verb::Kind::kCorrupt;
  if (needs_whole && !whole) {
    session_.host().skipped(unit_, "the message is too long");
    done("a message", false, true);
  } else if (nothing) {
    session_.host().skipped(unit_, "the message is empty");
    done("a message", false, true);
  } else if (verb.kind == Verb::Kind::kForward) {
    done("a message", false, true);
  } else if (verb.kind == Verb::Kind::kDuplicate) {
    done("a message, twice", false, true);
    flows += std::string(flows);
  } else if (verb.kind == Verb::Kind::kCorrupt) {
    message_ = std::move(flows);
    flows = corrupted(verb);
    message_.clear();
    done("a message, corrupted", false, true);
  } else if (verb.kind == Verb::Kind::kClose || verb.kind == Verb::Kind::kSwallow ||
             verb.kind == Verb::Kind::kLose) {
    done("a message, lost", true, false);
    way_ = whole ? Way::kNone : Way::kLose;
    frame_passes_ = false;
    flows.clear();
  } else if (verb.kind == Verb::Kind::kReset) {
    return close(true, step);
  } else if (verb.kind == Verb::Kind::kReplace || verb.kind == Verb::Kind::kMask) {
    verb_ = verb;
    return close(false, step);
  } else {
    session_.host().skipped(unit_, "this cannot be done to a message");
    done("a message", false, true);
  }
  if (!whole && !from_client_ && frame_passes_ && left_ > 0) {
    session_.client_at_frame_border = false;
  }
  step.act = Substitute{.with = std::move(flows)};
  return false;
}

bool WebSocketSide::close(bool reset, Step& step) {
  Close act = {.reset = reset};
  if (!reset) {
    const ErrorText& error = verb_->error;
    const unsigned code = error.status == 0 ? 1011 : error.status;
    // Within a frame that has begun there is no place for another one.
    if (session_.client_at_frame_border) {
      act.to_client = close_frame(code, error.body.empty() ? error.message : error.body);
    }
    done(std::string("closed with ") + std::to_string(code), true, false);
  } else {
    done("connection closed in place of a message", true, false);
  }
  verb_.reset();
  session_.closed = true;
  step.act = std::move(act);
  return false;
}

std::string WebSocketSide::corrupted(const Verb& verb) const {
  std::string wire = message_;
  if (verb.plan->framing) {
    // Bits that nobody agreed upon.
    wire[0] = static_cast<char>(static_cast<unsigned char>(wire[0]) | 0x30U);
    return wire;
  }
  Damage damage(verb.seed, verb.plan->bytes);
  damage.aim(text_.size());
  for (const auto& [at, size] : payload_) damage.apply(std::span(wire).subspan(at, size));
  return wire;
}

bool WebSocketSide::lose_track(std::string_view why, Step& step) {
  if (!message_.empty()) step.act = Substitute{.with = std::exchange(message_, {})};
  session_.all_opaque(why);
  return !step.act.has_value();
}

void WebSocketSide::done(std::string_view reply, bool failed, bool delivered) {
  const bool at_server = !from_client_ || delivered;
  session_.host().exchanged({.unit = unit_,
                             .reply = std::string(reply),
                             .failed = failed,
                             .server = at_server ? ServerOutcome::kDid : ServerOutcome::kDidNot});
}

}  // namespace misrule::codecs::http
