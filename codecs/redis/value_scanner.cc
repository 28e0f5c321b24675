#include "codecs/redis/value_scanner.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace misrule::codecs::redis {

std::size_t ValueScanner::advance(ByteView bytes) {
  std::size_t at = 0;
  if (taken_ == 0 && state_ == State::kType) {
    at = taken_ = whole(bytes);
    if (at > 0) state_ = State::kDone;
  }
  while (at < bytes.size() && state_ != State::kDone && !error_) {
    const std::size_t some = take_some(bytes.substr(at));
    at += some;
    taken_ += some;
  }
  return at;
}

std::size_t ValueScanner::whole(ByteView bytes) {
  if (bytes.empty()) return 0;
  std::size_t end = 1;
  switch (bytes.front()) {
    case '+':
    case '-':
    case ':':
    case '_':
      end = bytes.find('\r');
      return end != ByteView::npos && bytes.substr(end + 1).starts_with('\n') ? end + 2 : 0;
    case '$': {
      constexpr ByteView kNil = "$-1\r\n";
      if (bytes.starts_with(kNil)) return kNil.size();
      const auto size = read_small_length(bytes, end);
      if (!size || bytes.size() - end < *size + 2) return 0;
      end += *size;
      return bytes[end] == '\r' && bytes[end + 1] == '\n' ? end + 2 : 0;
    }
    default:
      return 0;
  }
}

void ValueScanner::restart() {
  state_ = State::kType;
  open_.clear();
  taken_ = 0;
  value_offset_ = 0;
}

std::size_t ValueScanner::take_some(ByteView bytes) {
  const char c = bytes.front();
  switch (state_) {
    case State::kType:
      take_type(c);
      return 1;
    case State::kLength:
      take_length_byte(c);
      return 1;
    case State::kLine:
      return take_line(bytes);
    case State::kLineEnd:
      end_line(c);
      return 1;
    case State::kPayload:
      return take_payload(bytes);
    case State::kCr:
    case State::kLf:
      end_string(c);
      return 1;
    case State::kDone:
      break;
  }
  return 0;
}

std::size_t ValueScanner::take_line(ByteView bytes) {
  const std::size_t end = bytes.find('\r');
  if (end == ByteView::npos) return bytes.size();
  state_ = State::kLineEnd;
  return end + 1;
}

void ValueScanner::end_line(char c) {
  if (c != '\n') {
    state_ = c == '\r' ? State::kLineEnd : State::kLine;
  } else if (type_ == '.') {
    close_streamed();
  } else {
    value_ended();
  }
}

std::size_t ValueScanner::take_payload(ByteView bytes) {
  const std::uint64_t some = std::min<std::uint64_t>(payload_left_, bytes.size());
  payload_left_ -= some;
  if (payload_left_ == 0) state_ = State::kCr;
  return static_cast<std::size_t>(some);
}

void ValueScanner::end_string(char c) {
  const bool first = state_ == State::kCr;
  if (c != (first ? '\r' : '\n')) return fail("a string is longer than it said");
  if (first) {
    state_ = State::kLf;
  } else if (type_ == ';') {
    state_ = State::kType;
  } else {
    value_ended();
  }
}

void ValueScanner::take_type(char type) {
  const Open* innermost = open_.empty() ? nullptr : &open_.back();
  const bool in_chunks = innermost != nullptr && innermost->chunks;
  type_ = type;
  if (open_.empty()) value_offset_ = taken_;
  switch (type) {
    case '+':
    case '-':
    case ':':
    case ',':
    case '(':
    case '#':
    case '_':
      state_ = State::kLine;
      if (in_chunks) fail(fmt::format("byte '{}' within a streamed string", type));
      return;
    case '.':
      state_ = State::kLine;
      if (innermost == nullptr || !innermost->streamed) fail("an end of what was not begun");
      return;
    case '$':
    case '=':
    case '!':
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
    case ';':
      state_ = State::kLength;
      length_.restart();
      if (in_chunks != (type == ';')) fail(fmt::format("byte '{}' where none may be", type));
      return;
    default:
      fail(fmt::format("byte 0x{:02x} begins no value", static_cast<unsigned char>(type)));
  }
}

void ValueScanner::take_length_byte(char c) {
  const LengthLine::State taken = length_.take(c);
  if (taken == LengthLine::State::kDone) length_known();
  if (taken == LengthLine::State::kBad) fail(fmt::format("no length behind '{}'", type_));
}

void ValueScanner::length_known() {
  const bool string = type_ == '$' || type_ == '=' || type_ == '!' || type_ == ';';
  if (length_.value() < 0) {
    // Nil of version 2.
    if (type_ == '$' || type_ == '*') return value_ended();
    return fail(fmt::format("length -1 behind '{}'", type_));
  }
  if (string) return string_begins();
  aggregate_begins();
}

void ValueScanner::string_begins() {
  if (length_.streamed()) {
    if (type_ == '$') return open({.chunks = true});
    return fail(fmt::format("'{}' is never streamed", type_));
  }
  payload_left_ = static_cast<std::uint64_t>(length_.value());
  if (type_ == ';' && payload_left_ == 0) return close_streamed();
  state_ = payload_left_ == 0 ? State::kCr : State::kPayload;
}

void ValueScanner::aggregate_begins() {
  const bool attribute = type_ == '|';
  if (length_.streamed()) {
    if (attribute) return fail("an attribute is never streamed");
    return open({.streamed = true});
  }
  const auto pairs = static_cast<std::uint64_t>(type_ == '%' || attribute ? 2 : 1);
  const std::uint64_t left = static_cast<std::uint64_t>(length_.value()) * pairs;
  if (left > 0) return open({.left = left, .attribute = attribute});
  if (!attribute) return value_ended();
  state_ = State::kType;
}

void ValueScanner::open(const Open& aggregate) {
  if (open_.size() >= depth_max_) return fail(fmt::format("nested deeper than {}", depth_max_));
  open_.push_back(aggregate);
  state_ = State::kType;
}

void ValueScanner::close_streamed() {
  open_.pop_back();
  value_ended();
}

void ValueScanner::value_ended() {
  state_ = State::kType;
  while (!open_.empty()) {
    Open& innermost = open_.back();
    if (innermost.streamed || --innermost.left > 0) return;
    const bool attribute = innermost.attribute;
    open_.pop_back();
    if (attribute) return;  // What it is about follows.
  }
  state_ = State::kDone;
}

void ValueScanner::fail(std::string what) {
  if (!error_) error_ = DecodeError{std::move(what)};
}

}  // namespace misrule::codecs::redis
