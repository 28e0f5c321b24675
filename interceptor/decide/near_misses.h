#pragma once

// What a rule saw and did not want, counted by reason, so that "never fired" can be explained.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace misrule::interceptor {

struct CallFacts;
struct CompiledRule;

/// How near a call comes to what the rule wants that it does not match: only the order means
/// something. A right destination or kind counts more than a shared piece of a path.
unsigned nearness(const CompiledRule& rule, const CallFacts& call);

class NearMisses {
 public:
  void count(std::string reason, const CompiledRule& rule, const CallFacts& call);
  /// The nearest five, the more frequent of equals first, as "312x write to a pipe".
  std::vector<std::string> nearest() const;

 private:
  // A service may touch any number of files: beyond the bound only the nearest are known by name.
  static constexpr std::size_t kReasonsMax = 256;

  struct Miss {
    unsigned nearness = 0;
    std::uint64_t times = 0;
  };

  bool make_room(unsigned nearness);

  std::unordered_map<std::string, Miss> misses_ = {};
  std::uint64_t others_ = 0;
  // No miss that is kept is farther; may be too low. Spares most of a flood the search for one.
  unsigned farthest_ = 0;
};

}  // namespace misrule::interceptor
