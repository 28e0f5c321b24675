#include "controller/observe/poison_trace.h"

#include <algorithm>
#include <array>

namespace misrule::controller {
namespace {

// What follows an error's first line, each with a prefix of its own.
constexpr std::array<std::string_view, 6> kBelonging = {"STATEMENT", "DETAIL", "HINT",
                                                        "CONTEXT",   "QUERY",  "LOCATION"};

/// "STATEMENT" of "2026-11-21 18:00:00 UTC [7] STATEMENT:  SELECT 1"; empty if there is none.
std::string_view kind_of(std::string_view line) {
  const std::size_t colon = line.find(":  ");
  if (colon == std::string_view::npos) return {};
  const std::string_view before = line.substr(0, colon);
  const std::size_t blank = before.rfind(' ');
  return blank == std::string_view::npos ? before : before.substr(blank + 1);
}

/// A message's further lines: those of a long text begin with a tab, a caret stands alone.
bool continues(std::string_view line) {
  return line.starts_with('\t') || line.find_first_not_of(" ^") == std::string_view::npos;
}

}  // namespace

bool PoisonTrace::takes(std::string_view line) {
  const bool belongs = continues(line) ||
                       std::ranges::find(kBelonging, kind_of(line)) != std::ranges::end(kBelonging);
  inside_ = line.contains(kPoisonMark) || (inside_ && belongs);
  return inside_;
}

}  // namespace misrule::controller
