#include "codecs/redis/page.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "codecs/redis/length_line.h"
#include "codecs/redis/reply_shape.h"
#include "codecs/redis/value_scanner.h"

namespace misrule::codecs::redis {
namespace {

constexpr std::array<std::string_view, 4> kEdits = {"cursor", "keys", "missing", "repeat"};
constexpr std::size_t kDepth = 4;

const Value* find(const ValueMap& edits, std::string_view name) {
  const auto found = std::ranges::find(edits, name, &ValueMap::value_type::first);
  return found == edits.end() ? nullptr : &found->second;
}

struct Page {
  ByteView cursor;  // With its framing.
  std::vector<ByteView> items;
};

ByteView take_value(ByteView& bytes) {
  ValueScanner scanner(kDepth);
  const ByteView value = bytes.substr(0, scanner.advance(bytes));
  if (!scanner.done()) return {};
  bytes.remove_prefix(value.size());
  return value;
}

std::optional<Page> read_page(ByteView bytes) {
  if (!bytes.starts_with("*2\r\n")) return std::nullopt;
  bytes.remove_prefix(4);
  Page page{.cursor = take_value(bytes), .items = {}};
  std::size_t at = 1;
  if (page.cursor.empty() || !bytes.starts_with('*')) return std::nullopt;
  const auto count = read_small_length(bytes, at);
  if (!count) return std::nullopt;
  bytes.remove_prefix(at);
  for (std::size_t i = 0; i < *count; ++i) {
    page.items.push_back(take_value(bytes));
    if (page.items.back().empty()) return std::nullopt;
  }
  return page;
}

std::size_t count_of(const Value* value) {
  const auto* const number = value == nullptr ? nullptr : std::get_if<std::int64_t>(&value->held);
  return number == nullptr || *number < 0 ? 0 : static_cast<std::size_t>(*number);
}

}  // namespace

bool is_page_edit(std::string_view name) { return std::ranges::find(kEdits, name) != kEdits.end(); }

std::optional<std::string> edited_page(ByteView bytes, const ValueMap& edits, bool in_pairs) {
  auto page = read_page(bytes);
  if (!page) return std::nullopt;
  std::string out = "*2\r\n";
  const Value* const cursor = find(edits, "cursor");
  out +=
      cursor == nullptr ? std::string(page->cursor) : encoded_reply(*cursor, ReplyShape::kText, 2);
  if (const Value* const keys = find(edits, "keys")) {
    return out + encoded_reply(*keys, ReplyShape::kTexts, 2);
  }
  const std::size_t missing =
      std::min(page->items.size(), count_of(find(edits, "missing")) * (in_pairs ? 2 : 1));
  page->items.erase(page->items.begin(),
                    page->items.begin() + static_cast<std::ptrdiff_t>(missing));
  const Value* const repeat = find(edits, "repeat");
  const bool twice = repeat != nullptr && repeat->held == Value{true}.held;
  out += fmt::format("*{}\r\n", page->items.size() * (twice ? 2 : 1));
  for (int round = 0; round < (twice ? 2 : 1); ++round) {
    for (const ByteView item : page->items) out += item;
  }
  return out;
}

}  // namespace misrule::codecs::redis
