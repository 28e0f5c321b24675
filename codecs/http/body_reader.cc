#include "codecs/http/body_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace misrule::codecs::http {
namespace {

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

// Fifteen hexadecimal digits and any sum of them with a message's other lengths fit in 64 bits.
constexpr std::uint64_t kChunkSizeLimit = 1ULL << 60U;

}  // namespace

void BodyReader::start(const BodyFraming& framing) {
  error_.reset();
  line_bytes_ = 0;
  first_chunk_ = 0;
  tail_bytes_ = 0;
  left_ = framing.length;
  switch (framing.kind) {
    case BodyFraming::Kind::kNone:
      state_ = State::kDone;
      return;
    case BodyFraming::Kind::kLength:
      state_ = left_ == 0 ? State::kDone : State::kData;
      return;
    case BodyFraming::Kind::kChunked:
      left_ = 0;
      state_ = State::kSizeFirst;
      return;
    case BodyFraming::Kind::kUntilClose:
      state_ = State::kUntilClose;
      return;
  }
}

std::size_t BodyReader::advance(ByteView bytes, std::vector<ByteView>* payload) {
  std::size_t used = 0;
  const auto note = [&](ByteView part) {
    if (payload != nullptr && !part.empty()) payload->push_back(part);
    return part.size();
  };
  while (used < bytes.size() && state_ != State::kDone && !error_.has_value()) {
    const ByteView rest = bytes.substr(used);
    switch (state_) {
      case State::kUntilClose:
        return used + note(rest);
      case State::kData:
        used += note(rest.substr(0, skip(rest, State::kDone)));
        break;
      case State::kChunk:
        used += note(rest.substr(0, skip(rest, State::kChunkCr)));
        break;
      default:
        step(rest.front());
        if (!error_.has_value()) ++used;
        break;
    }
  }
  return used;
}

std::size_t BodyReader::skip(ByteView bytes, State then) {
  const std::uint64_t skipped = std::min<std::uint64_t>(left_, bytes.size());
  left_ -= skipped;
  if (left_ == 0) state_ = then;
  return static_cast<std::size_t>(skipped);
}

void BodyReader::step(char byte) {
  const bool tail = state_ == State::kTrailerStart || state_ == State::kTrailer ||
                    state_ == State::kTrailerLf || state_ == State::kEndLf;
  if (tail) ++tail_bytes_;
  switch (state_) {
    case State::kSizeFirst:
      line_bytes_ = 0;
      left_ = 0;
      return read_size_digit(byte, true);
    case State::kSize:
      return read_size_digit(byte, false);
    case State::kExtension:
      if (++line_bytes_ > line_bytes_max_) return refuse("a chunk extension beyond the limit");
      if (byte == '\n' || byte == '\0') return refuse("a bare LF or NUL in a chunk extension");
      if (byte == '\r') state_ = State::kSizeLf;
      return;
    case State::kSizeLf:
      return byte == '\n' ? end_size_line() : refuse("a bare CR in a chunk's size line");
    case State::kChunkCr:
      return expect(byte, '\r', State::kChunkLf);
    case State::kChunkLf:
      return expect(byte, '\n', State::kSizeFirst);
    case State::kTrailerStart:
      if (byte == ' ' || byte == '\t') return refuse("a folded trailer field");
      state_ = byte == '\r' ? State::kEndLf : State::kTrailer;
      if (byte == '\n') return refuse("a trailer line that ends without CR");
      ++line_bytes_;
      return;
    case State::kTrailer:
      if (++line_bytes_ > trailer_bytes_max_) return refuse("trailer fields beyond the limit");
      if (byte == '\n' || byte == '\0') return refuse("a bare LF or NUL in a trailer field");
      if (byte == '\r') state_ = State::kTrailerLf;
      return;
    case State::kTrailerLf:
      return expect(byte, '\n', State::kTrailerStart);
    case State::kEndLf:
      return expect(byte, '\n', State::kDone);
    default:
      return;
  }
}

void BodyReader::read_size_digit(char byte, bool first) {
  if (const std::optional<unsigned> digit = hex_value(byte)) {
    left_ = left_ * 16 + *digit;
    state_ = State::kSize;
    // Zeros in front say nothing, so they are bounded too.
    const bool too_long = ++line_bytes_ > line_bytes_max_ || left_ >= kChunkSizeLimit;
    return too_long ? refuse("a chunk size beyond the limit") : void();
  }
  if (!first && byte == ';') {
    state_ = State::kExtension;
  } else if (!first && byte == '\r') {
    state_ = State::kSizeLf;
  } else {
    refuse("a chunk size that is no hexadecimal number");
  }
}

void BodyReader::end_size_line() {
  line_bytes_ = 0;
  state_ = left_ == 0 ? State::kTrailerStart : State::kChunk;
  if (first_chunk_ == 0) first_chunk_ = left_;
}

void BodyReader::expect(char byte, char wanted, State then) {
  if (byte == wanted) {
    state_ = then;
  } else {
    refuse("a chunk or trailer that does not end with CRLF");
  }
}

void BodyReader::refuse(std::string what) { error_ = DecodeError{std::move(what)}; }

}  // namespace misrule::codecs::http
