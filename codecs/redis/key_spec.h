#pragma once

// Where do a command's keys stand, as servers since Redis 7 say it: where to begin, and how many.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "codecs/redis/command_table.h"

namespace misrule::codecs::redis {

/// Reference: https://redis.io/docs/latest/develop/reference/key-specs/
struct KeySpec {
  std::string keyword = {};  ///< In capitals: keys follow this word. Empty: they begin at `from`.
  int from = 0;  ///< With a keyword, where to look for it; negative: from the end, backwards.
  bool counted = false;  ///< Their number is an argument.
  // Not counted: up to so many behind the first (negative: from the end, but of a `limit`-th part).
  int last = 0;
  int step = 1;
  int limit = 0;
  // Counted: both from where they begin.
  int number_at = 0;
  int first_at = 0;

  bool operator==(const KeySpec&) const = default;
};

/// What CommandTraits of KeyPlaces::kSpecs are.
struct TraitsBySpecs : CommandTraits {
  std::vector<KeySpec> specs = {};
};

/// Appends what it finds among `words`, of a command that has `count` of them when it is whole.
void append_keys(const KeySpec& spec, std::span<const ByteView> words, std::uint64_t count,
                 std::vector<ByteView>& keys);

}  // namespace misrule::codecs::redis
