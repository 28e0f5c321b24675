#include "codecs/redis/payload.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace misrule::codecs::redis {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads values one after the other, whatever is nested in them: each has its type first.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  std::vector<PayloadSpan> read() {
    while (at_ < bytes_.size()) read_one();
    return std::move(spans_);
  }

 private:
  void read_one() {
    const char type = bytes_[at_++];
    const std::size_t begin = at_;
    const std::size_t line_end = std::min(bytes_.find('\r', at_), bytes_.size());
    at_ = std::min(line_end + 2, bytes_.size());
    const ByteView line = bytes_.substr(begin, line_end - begin);
    switch (type) {
      case '+':
      case '-':
      case '#':
        return add(begin, line.size(), true);
      case ':':
      case ',':
      case '(':
        return add_digits(begin, line);
      case '$':
      case '=':
      case '!':
        return read_string(line, type == '=' ? 4 : 0);
      default:
        return;
    }
  }

  void read_string(ByteView length, std::size_t format) {
    std::size_t size = 0;
    const auto read = std::from_chars(length.data(), length.data() + length.size(), size);
    if (read.ec != std::errc()) return;
    const std::size_t there = std::min(size, bytes_.size() - at_);
    if (there > format) add(at_ + format, there - format, false);
    at_ += there;
    at_ = std::min(at_ + 2, bytes_.size());
  }

  void add_digits(std::size_t begin, ByteView line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (is_digit(line[i])) add(begin + i, 1, true);
    }
  }

  void add(std::size_t at, std::size_t size, bool is_line) {
    if (size > 0) spans_.push_back({.at = at, .size = size, .is_line = is_line});
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  std::vector<PayloadSpan> spans_;
};

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

// Another byte: of a line a printable one, of a number a digit.
char changed(char c, bool is_line, std::uint64_t how) {
  if (!is_line) return static_cast<char>(static_cast<unsigned char>(c) ^ (1U + how % 255U));
  if (is_digit(c))
    return static_cast<char>('0' + (static_cast<unsigned>(c - '0') + 1U + how % 9U) % 10U);
  if (c == 't' || c == 'f') return c == 't' ? 'f' : 't';
  const char other = static_cast<char>('A' + how % 26U);
  return other == c ? '?' : other;
}

}  // namespace

std::vector<PayloadSpan> payload_of(ByteView bytes) { return Reader(bytes).read(); }

bool corrupt_payload(std::string& bytes, const std::vector<PayloadSpan>& spans, std::uint64_t count,
                     std::uint64_t seed) {
  std::uint64_t all = 0;
  for (const PayloadSpan& span : spans) all += span.size;
  if (all == 0) return false;
  count = std::min(count, all);
  // A run of bytes, which may begin anywhere and goes on at the front.
  const std::uint64_t first = mixed(seed) % all;
  std::uint64_t before = 0;
  for (const PayloadSpan& span : spans) {
    for (std::size_t i = 0; i < span.size; ++i) {
      const std::uint64_t nth = (before + i + all - first) % all;
      if (nth >= count) continue;
      char& c = bytes[span.at + i];
      c = changed(c, span.is_line, mixed(seed + nth + 1));
    }
    before += span.size;
  }
  return true;
}

bool corrupt_framing(std::string& bytes, std::uint64_t seed) {
  if (bytes.size() < 2) return false;
  const bool has_length = std::string_view("$*=!%~>").find(bytes[0]) != std::string_view::npos;
  const std::size_t at = has_length && mixed(seed) % 2 == 0 ? 1 : 0;
  bytes[at] = 'x';
  return true;
}

std::optional<std::size_t> cut_after(const std::vector<PayloadSpan>& spans, std::uint64_t payload) {
  for (const PayloadSpan& span : spans) {
    if (payload <= span.size) return span.at + static_cast<std::size_t>(payload);
    payload -= span.size;
  }
  return std::nullopt;
}

}  // namespace misrule::codecs::redis
