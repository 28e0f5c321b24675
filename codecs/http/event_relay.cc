#include "codecs/http/event_relay.h"

#include <utility>

#include <fmt/format.h>

#include "codecs/http/damage.h"

namespace misrule::codecs::http {

bool EventRelay::decides(const BodyReader& reader) {
  if (deciding_ || !session_.host().wants(Phase::kSse)) return deciding_;
  deciding_ = stream_.at_border() && (!chunked_ || reader.between_chunks());
  return deciding_;
}

void EventRelay::saw(std::span<const ByteView> payload) {
  for (const ByteView part : payload) stream_.add(part);
  while (stream_.next().has_value()) {
  }
  // All that matters of an event that is under way is that it is.
  if (stream_.bytes() > session_.limits().whole_bytes_max) stream_.take_rest();
}

void EventRelay::add(std::span<const ByteView> payload) {
  for (const ByteView part : payload) stream_.add(part);
}

std::optional<Act> EventRelay::next() {
  if (verb_.has_value()) return carry_out();
  std::optional<std::string> event = stream_.next();
  if (!event.has_value()) {
    if (stream_.bytes() <= session_.limits().whole_bytes_max) return std::nullopt;
    return Substitute{.with = as_sent(stream_.take_rest())};
  }
  const std::optional<std::string> data = event_data(*event);
  if (!data.has_value()) return Substitute{.with = as_sent(*std::move(event))};
  event_ = *std::move(event);
  unit_ = session_.next_unit();
  RequestDetails details(*asked_);
  details.with_message(*data, "to_client");
  Facts facts = asked_->facts(Phase::kSse, unit_);
  facts.details = &details;
  verb_ = session_.host().decide(facts);
  if (verb_->hold == Duration::zero()) return carry_out();
  return Hold{.for_at_most = verb_->hold, .unit = unit_};
}

Act EventRelay::carry_out() {
  const Verb verb = *std::exchange(verb_, std::nullopt);
  std::string event = std::exchange(event_, {});
  switch (verb.kind) {
    case Verb::Kind::kForward:
      done("an event", false);
      break;
    case Verb::Kind::kDuplicate:
      done("an event, twice", false);
      return Substitute{.with = as_sent(event) + as_sent(event)};
    case Verb::Kind::kCorrupt:
      corrupt(event, verb);
      break;
    case Verb::Kind::kClose:
    case Verb::Kind::kSwallow:
    case Verb::Kind::kLose:
      done("an event, lost", true);
      return Substitute{};
    case Verb::Kind::kReset:
      done("connection closed in place of an event", true);
      session_.finish_all();
      session_.closed = true;
      return Close{.reset = true};
    default:
      session_.host().skipped(unit_, "this cannot be done to an event");
      done("an event", false);
      break;
  }
  return Substitute{.with = as_sent(std::move(event))};
}

void EventRelay::corrupt(std::string& event, const Verb& verb) {
  const std::vector<ByteView> lines = data_lines(event);
  std::size_t bytes = 0;
  for (const ByteView line : lines) bytes += line.size();
  if (bytes == 0) {
    session_.host().skipped(unit_, "the event's data is empty");
    return done("an event", false);
  }
  // What would end a line, or fall away at its beginning, were no longer data.
  Damage damage(verb.seed, verb.plan->bytes, "\r\n ");
  damage.aim(bytes);
  const char* const begin = event.data();
  for (const ByteView line : lines) {
    const auto at = static_cast<std::size_t>(line.data() - begin);
    damage.apply(std::span(event).subspan(at, line.size()));
  }
  done("an event, corrupted", false);
}

void EventRelay::done(std::string_view reply, bool failed) {
  session_.host().exchanged({.unit = unit_, .reply = std::string(reply), .failed = failed});
}

std::string EventRelay::as_sent(std::string event) const {
  if (!chunked_ || event.empty()) return event;
  return fmt::format("{:x}\r\n{}\r\n", event.size(), event);
}

std::string EventRelay::finish(ByteView tail) {
  if (!deciding_) return {};
  std::string text = as_sent(std::exchange(event_, {}) + stream_.take_rest());
  if (verb_.has_value()) done("connection closed", true);
  verb_.reset();
  if (chunked_ && !tail.empty()) text += fmt::format("0\r\n{}", tail);
  return text;
}

}  // namespace misrule::codecs::http
