// Positions in strings, white space, and splitting.

#include "spec/starlark/lib/text_search.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {

std::string_view self_text(const Args& args) { return string_of(args.self()).text(); }

TextPart text_part(std::string_view text, const std::optional<std::int64_t>& start,
                   const std::optional<std::int64_t>& stop) {
  const auto size = static_cast<std::int64_t>(text.size());
  const auto clamp = [size](std::int64_t index) {
    if (index < 0) index += size;
    return std::clamp<std::int64_t>(index, 0, size);
  };
  const std::int64_t from = start ? clamp(*start) : 0;
  const std::int64_t to = std::max(from, stop ? clamp(*stop) : size);
  return {.text = text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)),
          .offset = from};
}

Value strings_to_list(const std::vector<std::string_view>& parts) {
  constexpr std::size_t kStringBytes = 64;
  Heap::reserve(parts.size() * kStringBytes);
  std::vector<Value> out;
  out.reserve(parts.size());
  for (const std::string_view part : parts) out.push_back(Value::string(part));
  return Value::list(std::move(out));
}

namespace {

/// The last code point of `text`.
Decoded last_of(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    const Decoded point = decode_utf8(text.substr(text.size() - size));
    if (point.valid && point.size == size) return point;
  }
  return {};
}

bool in_set(char32_t point, std::string_view set) {
  if (set.empty()) return is_space(point);
  while (!set.empty()) {
    const Decoded next = decode_utf8(set);
    if (next.point == point) return true;
    set.remove_prefix(next.size);
  }
  return false;
}

std::size_t word_end(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Decoded next = decode_utf8(text.substr(at));
    if (is_space(next.point)) break;
    at += next.size;
  }
  return at;
}

std::size_t word_start(std::string_view text) {
  std::size_t at = text.size();
  while (at > 0) {
    const Decoded last = last_of(text.substr(0, at));
    if (is_space(last.point)) break;
    at -= last.size;
  }
  return at;
}

}  // namespace

std::string_view strip_left(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (!in_set(next.point, set)) break;
    text.remove_prefix(next.size);
  }
  return text;
}

std::string_view strip_right(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    const Decoded last = last_of(text);
    if (!in_set(last.point, set)) break;
    text.remove_suffix(last.size);
  }
  return text;
}

std::vector<std::string_view> split_blanks(std::string_view text, std::int64_t max) {
  std::vector<std::string_view> out;
  text = strip_left(text, {});
  while (!text.empty()) {
    if (max >= 0 && static_cast<std::int64_t>(out.size()) == max) {
      out.push_back(text);
      break;
    }
    const std::size_t end = word_end(text);
    out.push_back(text.substr(0, end));
    text = strip_left(text.substr(end), {});
  }
  return out;
}

std::vector<std::string_view> split_blanks_right(std::string_view text, std::int64_t max) {
  std::vector<std::string_view> out;
  text = strip_right(text, {});
  while (!text.empty()) {
    if (max >= 0 && static_cast<std::int64_t>(out.size()) == max) {
      out.push_back(text);
      break;
    }
    const std::size_t start = word_start(text);
    out.push_back(text.substr(start));
    text = strip_right(text.substr(0, start), {});
  }
  std::reverse(out.begin(), out.end());
  return out;
}

namespace {

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator,
                                       std::int64_t max) {
  std::vector<std::string_view> out;
  while (max < 0 || static_cast<std::int64_t>(out.size()) < max) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) break;
    out.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  out.push_back(text);
  return out;
}

std::vector<std::string_view> split_at_right(std::string_view text, std::string_view separator,
                                             std::int64_t max) {
  std::vector<std::string_view> out;
  while (max < 0 || static_cast<std::int64_t>(out.size()) < max) {
    const std::size_t at = text.rfind(separator);
    if (at == std::string_view::npos) break;
    out.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  out.push_back(text);
  std::reverse(out.begin(), out.end());
  return out;
}

Value split(Args& args, bool from_right) {
  std::optional<std::string_view> separator;
  std::optional<std::int64_t> max;
  args.unpack_positional({optional("sep", separator), optional("maxsplit", max)});
  const std::string_view text = self_text(args);
  const std::int64_t most = max.value_or(-1);
  if (!separator) {
    return strings_to_list(from_right ? split_blanks_right(text, most) : split_blanks(text, most));
  }
  if (separator->empty()) args.fail(code::kValue, "empty separator");
  return strings_to_list(from_right ? split_at_right(text, *separator, most)
                                    : split_at(text, *separator, most));
}

Value partition(Args& args, bool from_right) {
  std::string_view separator;
  args.unpack_positional({required("sep", separator)});
  if (separator.empty()) args.fail(code::kValue, "empty separator");
  const std::string_view text = self_text(args);
  const std::size_t at = from_right ? text.rfind(separator) : text.find(separator);
  const Value empty = Value::string("");
  if (at == std::string_view::npos) {
    if (from_right) return Value::tuple({empty, empty, args.self()});
    return Value::tuple({args.self(), empty, empty});
  }
  return Value::tuple({Value::string(text.substr(0, at)), Value::string(separator),
                       Value::string(text.substr(at + separator.size()))});
}

Value strip(Args& args, bool left, bool right) {
  std::string_view set;
  args.unpack_positional({optional("chars", set)});
  std::string_view text = self_text(args);
  if (left) text = strip_left(text, set);
  if (right) text = strip_right(text, set);
  return Value::string(text);
}

}  // namespace

Value string_split(Args& args) { return split(args, false); }
Value string_rsplit(Args& args) { return split(args, true); }
Value string_partition(Args& args) { return partition(args, false); }
Value string_rpartition(Args& args) { return partition(args, true); }
Value string_strip(Args& args) { return strip(args, true, true); }
Value string_lstrip(Args& args) { return strip(args, true, false); }
Value string_rstrip(Args& args) { return strip(args, false, true); }

Value string_splitlines(Args& args) {
  bool keep = false;
  args.unpack_positional({optional("keepends", keep)});
  std::string_view text = self_text(args);
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t at = text.find('\n');
    const std::size_t end = at == std::string_view::npos ? text.size() : at;
    const std::size_t next = at == std::string_view::npos ? text.size() : at + 1;
    out.push_back(text.substr(0, keep ? next : end));
    text.remove_prefix(next);
  }
  return strings_to_list(out);
}

}  // namespace misrule::star
