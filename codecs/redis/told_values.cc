#include "codecs/redis/told_values.h"

#include <charconv>

namespace misrule::codecs::redis {

void ToldValues::fail() {
  failed_ = true;
  left_ = {};
}

std::optional<ToldValues::Head> ToldValues::head() {
  const std::size_t end = left_.find("\r\n");
  if (failed_ || end == ByteView::npos || end == 0) {
    fail();
    return std::nullopt;
  }
  Head head{.type = left_.front(), .line = left_.substr(1, end - 1)};
  left_.remove_prefix(end + 2);
  if (head.type == '+' || head.type == '-') return head;
  const std::string_view line = head.line;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), head.number);
  const bool is_number = read.ec == std::errc() && read.ptr == line.data() + line.size();
  const bool is_known = head.type == ':' || head.type == '$' || head.type == '*';
  // No length can be more than the bytes that follow.
  const bool is_possible =
      head.type == ':' ||
      (head.number >= -1 &&
       (head.number < 0 || static_cast<std::uint64_t>(head.number) <= left_.size()));
  if (is_number && is_known && is_possible) return head;
  fail();
  return std::nullopt;
}

std::optional<std::string_view> ToldValues::payload(const Head& head) {
  if (head.number < 0) return std::nullopt;
  const auto size = static_cast<std::size_t>(head.number);
  if (left_.size() - size < 2) {
    fail();
    return std::nullopt;
  }
  const std::string_view text = left_.substr(0, size);
  left_.remove_prefix(size + 2);
  return text;
}

void ToldValues::skip_rest(const Head& first) {
  if (first.type == '$') payload(first);
  if (first.type != '*' || first.number <= 0) return;
  // What is nested needs no stack: it is enough to know how many values are to come.
  auto left = static_cast<std::uint64_t>(first.number);
  while (left > 0 && !failed_) {
    const auto next = head();
    if (!next) return;
    --left;
    if (next->type == '$') payload(*next);
    if (next->type == '*' && next->number > 0) left += static_cast<std::uint64_t>(next->number);
  }
}

std::optional<std::size_t> ToldValues::array() {
  const auto next = head();
  if (!next) return std::nullopt;
  if (next->type == '*' && next->number >= 0) return static_cast<std::size_t>(next->number);
  skip_rest(*next);
  return std::nullopt;
}

std::optional<std::int64_t> ToldValues::number() {
  const auto next = head();
  if (!next) return std::nullopt;
  if (next->type == ':') return next->number;
  skip_rest(*next);
  return std::nullopt;
}

std::optional<std::string_view> ToldValues::text() {
  const auto next = head();
  if (!next) return std::nullopt;
  if (next->type == '+') return next->line;
  if (next->type == '$') return payload(*next);
  skip_rest(*next);
  return std::nullopt;
}

void ToldValues::skip() {
  const auto next = head();
  if (next) skip_rest(*next);
}

void ToldValues::skip(std::size_t count) {
  for (; count > 0 && !failed_; --count) skip();
}

}  // namespace misrule::codecs::redis
