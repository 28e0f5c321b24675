// A request that a rule answers in the server's place: what is left of it is read and thrown away,
// and its answer waits for its turn.

#include <utility>

#include "codecs/http/request_side.h"

namespace misrule::codecs::http {

bool RequestSide::replace(Step& step) {
  owed().fate = Owed::Fate::kAnswer;
  const std::uint64_t drain_max = session_.limits().drain_bytes_max;
  const bool ahead = read_ahead();
  drained_ = ahead ? current_.gathered.size() - current_.head_bytes : 0;
  if (!ahead) body_.start(current_.body);
  const bool too_long =
      (current_.body.kind == BodyFraming::Kind::kLength && current_.body.length > drain_max) ||
      drained_ > drain_max || body_.error().has_value();
  // Whoever waits for a 100 may send the body now or leave it out: no next request can be found.
  const bool uncertain = current_.expects_continue && !body_.done();
  if (too_long || uncertain) {
    prepare_answer(true);
  } else if (body_.done()) {
    prepare_answer(current_.reply_to.close);
  } else {
    mode_ = Mode::kDrain;
  }
  current_.gathered.clear();
  drop_and_emit(ahead ? 0 : current_.head_bytes, step);
  return false;
}

void RequestSide::prepare_answer(bool close) {
  ReplyTo to = current_.reply_to;
  to.close = close;
  append_told(owed().answer, current_.verb, to);
  owed().close_after = close;
  owed().ready = true;
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
