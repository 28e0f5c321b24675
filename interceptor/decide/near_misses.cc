#include "interceptor/decide/near_misses.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace misrule::interceptor {

void NearMisses::count(std::string reason) {
  if (const auto found = counts_.find(reason); found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kReasonsMax) {
    counts_.emplace(std::move(reason), 1);
  } else {
    ++others_;
  }
}

std::vector<std::string> NearMisses::most_frequent() const {
  constexpr std::size_t kShown = 5;
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts_.begin(), counts_.end());
  if (others_ > 0) sorted.emplace_back("others", others_);
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> out;
  for (const auto& [reason, times] : sorted) {
    if (out.size() == kShown) break;
    out.push_back(fmt::format("{}x {}", times, reason));
  }
  return out;
}

}  // namespace misrule::interceptor
