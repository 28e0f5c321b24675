#include "codecs/redis/key_spec.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "codecs/redis/command_name.h"

namespace misrule::codecs::redis {
namespace {

using Words = std::span<const ByteView>;
using Place = std::int64_t;

std::optional<Place> place_behind(const KeySpec& spec, Words words, Place count) {
  const Place here = static_cast<Place>(words.size());
  const bool backwards = spec.from < 0;
  Place at = backwards ? std::min(count + spec.from, here - 1) : spec.from;
  const Place step = backwards ? -1 : 1;
  for (; at > 0 && at < here; at += step) {
    if (is_word(words[static_cast<std::size_t>(at)], spec.keyword)) return at + 1;
  }
  return std::nullopt;
}

std::optional<Place> last_counted(const KeySpec& spec, Words words, Place first) {
  const Place at = first + spec.number_at;
  if (at <= 0 || at >= static_cast<Place>(words.size())) return std::nullopt;
  const ByteView text = words[static_cast<std::size_t>(at)];
  std::int32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || number <= 0) return std::nullopt;
  return first + spec.first_at + (Place{number} - 1) * spec.step;
}

Place last_of_range(const KeySpec& spec, Place first, Place count) {
  if (spec.last >= 0) return first + spec.last;
  if (spec.limit <= 1) return count + spec.last;
  return first + (count - first) / spec.limit + spec.last;
}

}  // namespace

void append_keys(const KeySpec& spec, std::span<const ByteView> words, std::uint64_t count,
                 std::vector<ByteView>& keys) {
  if (spec.step < 1) return;
  const auto all = static_cast<Place>(std::min<std::uint64_t>(count, INT32_MAX));
  const std::optional<Place> first =
      spec.keyword.empty() ? std::optional<Place>(spec.from) : place_behind(spec, words, all);
  if (!first || *first <= 0) return;
  const auto last =
      spec.counted ? last_counted(spec, words, *first) : last_of_range(spec, *first, all);
  if (!last) return;
  const Place end = std::min(*last, static_cast<Place>(words.size()) - 1);
  for (Place at = *first + (spec.counted ? spec.first_at : 0); at > 0 && at <= end;
       at += spec.step) {
    keys.push_back(words[static_cast<std::size_t>(at)]);
  }
}

}  // namespace misrule::codecs::redis
