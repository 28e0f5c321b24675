#include "proxy/net/link_line.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/random.h"

namespace misrule::proxy {

namespace {

/// Far enough to mean never, near enough to be added to any time.
constexpr auto kNever = std::chrono::years(1);
/// A bandwidth is kept by sending what so much time allows, then pausing.
constexpr std::uint64_t kSlicesPerSecond = 50;

using codecs::Released;

}  // namespace

LinkLine::LinkLine(Loop& loop, Stream& out, LinkOwner& owner, std::uint64_t seed)
    : loop_(loop), out_(out), owner_(owner), seed_(seed), gate_(loop), task_(run()) {}

void LinkLine::use(const rules::LinkShape& shape) {
  const rules::LinkShape before = std::exchange(shape_, shape);
  if (before.close_after != shape.close_after || before.reset_after != shape.reset_after) {
    passed_ = 0;
  }
  if (broken_ || finished_) return;
  if (shape_.half_close && !std::exchange(half_closed_, true)) {
    out_.shutdown_send();
    throw_away();
  }
  if (shape_.blackhole) {
    lost_ = lost_ || !waiting_.empty();
    throw_away();
  } else if (lost_) {
    // Bytes are missing for good: what follows would be read as something else.
    owner_.link_ends(true);
    return;
  }
  if (!ends_by_count()) gate_.release(Released::kRuleEnded);
}

void LinkLine::throw_away() {
  waiting_.clear();
  waiting_bytes_ = 0;
  wake_writer();
}

bool LinkLine::take(ByteView bytes) {
  if (broken_ || bytes.empty()) return true;
  if (half_closed_) return true;
  if (shape_.blackhole) {
    lost_ = true;
    return true;
  }
  const std::uint64_t ordinal = taken_chunks_++;
  const double chance = decision_chance({.seed = seed_, .rule = "jitter", .ordinal = ordinal});
  waiting_.push_back({.bytes = std::string(bytes), .taken = loop_.now(), .jitter = 2 * chance - 1});
  waiting_bytes_ += bytes.size();
  gate_.release(Released::kRuleEnded);
  return waiting_bytes_ < kWaitingMax;
}

bool LinkLine::finish() {
  finishing_ = true;
  if (broken_ || finished_) return true;
  gate_.release(Released::kRuleEnded);
  return false;
}

void LinkLine::abort() {
  broken_ = true;
  throw_away();
  gate_.release(Released::kRuleEnded);
  wake_finisher();
}

void LinkLine::wake_writer() {
  if (writer_) loop_.defer(std::exchange(writer_, {}));
}

void LinkLine::wake_finisher() {
  if (finisher_) loop_.defer(std::exchange(finisher_, {}));
}

Task LinkLine::run() {
  while (!broken_ && !finished_) {
    if (shape_.stall) {
      co_await gate_.wait_until(loop_.now() + kNever);
    } else if (!waiting_.empty()) {
      co_await send_piece();
    } else if (finishing_ && !shape_.blackhole) {
      co_await end_stream();
    } else {
      co_await gate_.wait_until(loop_.now() + kNever);
    }
  }
  wake_writer();
  wake_finisher();
}

// Every wait may end early, because the rules have changed: what holds is looked at again.
Task LinkLine::send_piece() {
  const TimePoint at = std::max(due(waiting_.front()), last_due_);
  if (at > loop_.now()) {
    co_await gate_.wait_until(at);
    co_return;
  }
  const std::size_t size = piece_size(waiting_.front());
  // Its own copy of the bytes: what waits may be thrown away while the kernel takes them.
  const std::string piece = waiting_.front().bytes.substr(waiting_.front().sent, size);
  sending_ = true;
  owner_.link_sends(out_);
  const bool sent = co_await out_.write(piece);
  sending_ = false;
  if (!sent) broken_ = true;
  if (broken_ || waiting_.empty()) co_return;
  waiting_bytes_ -= size;
  Chunk& front = waiting_.front();
  front.sent += size;
  if (front.sent == front.bytes.size()) waiting_.pop_front();
  if (waiting_bytes_ < kWaitingMax) wake_writer();
  passed_ += size;
  if (ends_by_count()) co_return;
  last_due_ = loop_.now() + pause_after(size);
}

Task LinkLine::end_stream() {
  if (shape_.slow_close > Duration::zero()) {
    const TimePoint at = loop_.now() + shape_.slow_close;
    while (shape_.slow_close > Duration::zero() && !broken_ && loop_.now() < at) {
      co_await gate_.wait_until(at);
    }
  }
  if (broken_) co_return;
  finished_ = true;
  if (!half_closed_) out_.shutdown_send();
}

Duration LinkLine::lag() const { return shape_.latency + shape_.jitter + shape_.slow_close; }

TimePoint LinkLine::due(const Chunk& chunk) const {
  const auto jitter = std::chrono::duration_cast<Duration>(
      chunk.jitter * std::chrono::duration<double, Duration::period>(shape_.jitter));
  return chunk.taken + std::max(Duration::zero(), shape_.latency + jitter);
}

std::size_t LinkLine::piece_size(const Chunk& chunk) const {
  std::uint64_t size = chunk.bytes.size() - chunk.sent;
  if (shape_.slice > 0) size = std::min(size, shape_.slice);
  if (shape_.bandwidth > 0) {
    size = std::min(size, std::max<std::uint64_t>(1, shape_.bandwidth / kSlicesPerSecond));
  }
  const std::uint64_t left =
      std::min(shape_.close_after.value_or(std::numeric_limits<std::uint64_t>::max()),
               shape_.reset_after.value_or(std::numeric_limits<std::uint64_t>::max())) -
      passed_;
  return static_cast<std::size_t>(std::min(size, left));
}

Duration LinkLine::pause_after(std::size_t bytes) const {
  Duration pause = shape_.slice > 0 ? shape_.slice_delay : Duration::zero();
  if (shape_.bandwidth > 0) {
    const double seconds = static_cast<double>(bytes) / static_cast<double>(shape_.bandwidth);
    pause = std::max(pause,
                     std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
  }
  return pause;
}

bool LinkLine::ends_by_count() {
  const bool reset = shape_.reset_after && passed_ >= *shape_.reset_after;
  const bool close = shape_.close_after && passed_ >= *shape_.close_after;
  if (!reset && !close) return false;
  owner_.link_ends(reset);
  return true;
}

}  // namespace misrule::proxy
