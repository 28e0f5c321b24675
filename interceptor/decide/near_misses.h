#pragma once

// What a rule saw and did not want, counted by reason, so that "never fired" can be explained.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace misrule::interceptor {

class NearMisses {
 public:
  void count(std::string reason);
  /// The most frequent five, as "312x write to a pipe".
  std::vector<std::string> most_frequent() const;

 private:
  // A service may touch any number of files: beyond the bound only what is known is counted.
  static constexpr std::size_t kReasonsMax = 256;

  std::unordered_map<std::string, std::uint64_t> counts_ = {};
  std::uint64_t others_ = 0;
};

}  // namespace misrule::interceptor
