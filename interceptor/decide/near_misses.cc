#include "interceptor/decide/near_misses.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/closeness.h"
#include "interceptor/decide/compile.h"

namespace misrule::interceptor {
namespace {

// Steps between what differs in kind; a path's closeness lies within one.
constexpr unsigned kStep = kClosest + 1;

unsigned nearness_of_connect(const CompiledRule& rule, const CallFacts& call) {
  if (call.kind != FdKind::kTcp) return 0;
  if (rule.to_service.empty() || call.to_service.empty()) return kStep;
  return call.to_service == rule.to_service ? 3 * kStep : 2 * kStep;
}

// A file that a rule without path= leaves alone is still a file.
unsigned nearness_of_kind(const CompiledRule& rule, const CallFacts& call) {
  if (call.observer) return 2 * kStep;
  const bool wants_sockets = rule.fd_kind == "socket";
  const bool is_socket = call.kind == FdKind::kTcp || call.kind == FdKind::kSocket;
  const bool wants_files = rule.fd_kind.empty() || rule.fd_kind == "file";
  const bool is_near = (wants_sockets && is_socket) || (wants_files && !call.path.empty());
  return is_near ? kStep : 0;
}

}  // namespace

unsigned nearness(const CompiledRule& rule, const CallFacts& call) {
  if (rule.path) {
    return call.path.empty() ? 0 : 1 + closeness(rule.path->pattern(), call.path);
  }
  if (rule.family == Family::kConnect) return nearness_of_connect(rule, call);
  return nearness_of_kind(rule, call);
}

// Whether a miss of this nearness is worth the place of the farthest that is known.
bool NearMisses::make_room(unsigned nearness) {
  if (misses_.size() < kReasonsMax) return true;
  if (nearness <= farthest_) return false;
  const auto farthest = std::ranges::min_element(misses_, {}, [](const auto& miss) {
    return std::pair(miss.second.nearness, miss.second.times);
  });
  farthest_ = farthest->second.nearness;
  if (nearness <= farthest_) return false;
  others_ += farthest->second.times;
  misses_.erase(farthest);
  return true;
}

void NearMisses::count(std::string reason, const CompiledRule& rule, const CallFacts& call) {
  if (const auto found = misses_.find(reason); found != misses_.end()) {
    ++found->second.times;
    return;
  }
  const unsigned near = nearness(rule, call);
  if (make_room(near)) {
    misses_.emplace(std::move(reason), Miss{.nearness = near, .times = 1});
  } else {
    ++others_;
  }
}

std::vector<std::string> NearMisses::nearest() const {
  constexpr std::size_t kShown = 5;
  std::vector<std::pair<std::string, Miss>> sorted(misses_.begin(), misses_.end());
  if (others_ > 0) sorted.emplace_back("others", Miss{.nearness = 0, .times = others_});
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return std::tuple(b.second.nearness, b.second.times, std::string_view(a.first)) <
           std::tuple(a.second.nearness, a.second.times, std::string_view(b.first));
  });
  std::vector<std::string> out;
  for (const auto& [reason, miss] : sorted) {
    if (out.size() == kShown) break;
    out.push_back(fmt::format("{}x {}", miss.times, reason));
  }
  return out;
}

}  // namespace misrule::interceptor
