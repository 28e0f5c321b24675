#include "codecs/redis/command.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/redis/inline_command.h"

namespace misrule::codecs::redis {
namespace {

constexpr std::int64_t kStringsMax = INT32_MAX;

// Bytes that neither a person nor a client types: another protocol, such as TLS, begins so.
bool is_foreign(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\r' && c != '\n');
}

// The string at `at`, which is moved behind it; nothing unless it is there whole.
std::optional<ByteView> take_word(ByteView bytes, std::size_t& at) {
  if (at >= bytes.size() || bytes[at] != '$') return std::nullopt;
  ++at;
  const auto size = read_small_length(bytes, at);
  if (!size || bytes.size() - at < *size + 2) return std::nullopt;
  const ByteView word = bytes.substr(at, *size);
  at += *size + 2;
  return word;
}

}  // namespace

Decoded<Command> CommandDecoder::next(ByteView unread) {
  if (unread.empty()) return NeedMore{.bytes_min = 1};
  if (unread.front() != '*') return next_inline(unread);
  if (scanned_ == 0 && scan_at_once(unread)) {
    return Command{.wire = unread.substr(0, scanned_at_once_), .words = words_, .count = count_};
  }
  // What is seen of a long command does not depend on how it arrives.
  scanned_ += scan(unread.substr(scanned_, limits_.command_bytes_max - scanned_));
  if (error_) return *error_;
  if (state_ == State::kDone) return give(unread, true);
  if (scanned_ >= limits_.command_bytes_max || no_more_is_seen()) return give(unread, false);
  return NeedMore{.bytes_min = scanned_ + 1};
}

// Most commands are there whole; the others, and what is wrong with them, are for scan() to see.
bool CommandDecoder::scan_at_once(ByteView unread) {
  const ByteView bytes = unread.substr(0, limits_.command_bytes_max);
  std::size_t at = 1;
  const auto count = read_small_length(bytes, at);
  if (!count || *count == 0) return false;
  words_.clear();
  for (std::size_t left = *count; left > 0; --left) {
    const auto word = take_word(bytes, at);
    if (!word) return false;
    words_.push_back(*word);
  }
  count_ = *count;
  scanned_at_once_ = at;
  return true;
}

std::size_t CommandDecoder::whole(ByteView unread, ByteView name) const {
  if (scanned_ > 0 || !unread.starts_with('*')) return 0;
  const ByteView bytes = unread.substr(0, limits_.command_bytes_max);
  std::size_t at = 1;
  const auto count = read_small_length(bytes, at);
  if (!count || *count == 0 || take_word(bytes, at) != name) return 0;
  for (std::size_t left = *count - 1; left > 0; --left) {
    if (!take_word(bytes, at)) return 0;
  }
  return at;
}

Decoded<Command> CommandDecoder::next_inline(ByteView unread) {
  const ByteView fresh = unread.substr(scanned_);
  const std::size_t end = fresh.find('\n');
  const ByteView looked_at = fresh.substr(0, end);
  if (std::ranges::any_of(looked_at, is_foreign)) {
    return DecodeError{"bytes that begin no command"};
  }
  scanned_ += looked_at.size();
  if (scanned_ > limits_.inline_bytes_max) {
    return DecodeError{fmt::format("a line of more than {} bytes", limits_.inline_bytes_max)};
  }
  if (end == ByteView::npos) return NeedMore{.bytes_min = scanned_ + 1};
  ByteView line = unread.substr(0, scanned_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  words_.clear();
  unquoted_.clear();
  if (!split_inline(line, words_, unquoted_)) return DecodeError{"quotes that do not fit"};
  const Command command{
      .wire = unread.substr(0, scanned_ + 1), .words = words_, .count = words_.size()};
  restart();
  return command;
}

// An argument has begun that ends behind the limit. The server may refuse it for its length alone,
// and the client wait for that.
bool CommandDecoder::no_more_is_seen() const {
  const std::uint64_t left = limits_.command_bytes_max - scanned_;
  return state_ == State::kPayload && (payload_left_ > left || left - payload_left_ < 2);
}

Decoded<Command> CommandDecoder::give(ByteView unread, bool whole) {
  words_.clear();
  for (const auto& [at, size] : extents_) words_.push_back(unread.substr(at, size));
  const Command command{
      .wire = unread.substr(0, scanned_), .whole = whole, .words = words_, .count = count_};
  in_rest_ = !whole;
  if (whole) restart();
  return command;
}

std::size_t CommandDecoder::rest(ByteView bytes) {
  const std::size_t taken = scan(bytes);
  if (state_ == State::kDone) {
    restart();
    in_rest_ = false;
  }
  return taken;
}

void CommandDecoder::restart() {
  state_ = State::kStart;
  scanned_ = 0;
  extents_.clear();
}

std::size_t CommandDecoder::scan(ByteView bytes) {
  const std::size_t before = scanned_;
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::kDone && !error_) {
    // What is noted of an argument is where it stands in the whole.
    scanned_ = before + at;
    at += take_some(bytes.substr(at));
  }
  scanned_ = before;
  return at;
}

std::size_t CommandDecoder::take_some(ByteView bytes) {
  const char c = bytes.front();
  switch (state_) {
    case State::kStart:
      length_.restart();
      state_ = State::kCount;
      return 1;
    case State::kString:
      if (c != '$')
        fail(fmt::format("byte 0x{:02x} where '$' is due", static_cast<unsigned char>(c)));
      length_.restart();
      state_ = State::kLength;
      return 1;
    case State::kCount:
    case State::kLength:
      take_length_byte(c);
      return 1;
    case State::kPayload: {
      const std::uint64_t some = std::min<std::uint64_t>(payload_left_, bytes.size());
      payload_left_ -= some;
      if (payload_left_ == 0) state_ = State::kLineEnd;
      return static_cast<std::size_t>(some);
    }
    case State::kLineEnd:
      // A server does not look at these two bytes either.
      if (--line_end_left_ == 0) string_ended();
      return 1;
    case State::kDone:
      break;
  }
  return 0;
}

void CommandDecoder::take_length_byte(char c) {
  const LengthLine::State taken = length_.take(c);
  if (taken == LengthLine::State::kBad) fail("no length");
  if (taken != LengthLine::State::kDone) return;
  if (state_ == State::kCount) return count_known();
  length_known();
}

void CommandDecoder::count_known() {
  if (length_.streamed() || length_.value() > kStringsMax) return fail("no number of arguments");
  count_ = length_.value() < 0 ? 0 : static_cast<std::uint64_t>(length_.value());
  strings_left_ = count_;
  state_ = count_ == 0 ? State::kDone : State::kString;
}

void CommandDecoder::length_known() {
  if (length_.streamed() || length_.value() < 0) return fail("no length of an argument");
  payload_bytes_ = payload_left_ = static_cast<std::uint64_t>(length_.value());
  line_end_left_ = 2;
  state_ = payload_left_ == 0 ? State::kLineEnd : State::kPayload;
}

void CommandDecoder::string_ended() {
  // scanned_ stands at the last byte of the line end.
  if (!in_rest_) {
    const auto size = static_cast<std::size_t>(payload_bytes_);
    extents_.emplace_back(scanned_ - 1 - size, size);
  }
  state_ = --strings_left_ == 0 ? State::kDone : State::kString;
}

void CommandDecoder::fail(std::string what) {
  if (!error_) error_ = DecodeError{std::move(what)};
}

}  // namespace misrule::codecs::redis
