#include "base/nearest.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace misrule {
namespace {

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '_') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
  }
  return out;
}

/// Edits from one to the other; two neighbours that changed places are one edit.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      next[j] = std::min({replaced, next[j - 1] + 1, row[j] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr std::size_t kNameMax = 100;
  if (name.size() > kNameMax) return {};
  const std::string wanted = folded(name);
  // Of two letters one may be missing or wrong; of one, nothing is left.
  std::size_t best = name.size() < 2 ? 1 : std::max<std::size_t>(2, (name.size() + 1) / 2);
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kNameMax || candidate == name) continue;
    const std::size_t far = distance(wanted, folded(candidate));
    if (far >= best) continue;
    best = far;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest_name(name, candidates);
  return near.empty() ? std::string() : fmt::format(" (did you mean {}?)", near);
}

}  // namespace misrule
