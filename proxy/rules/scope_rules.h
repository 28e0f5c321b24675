#pragma once

// The rules of one interface and one source, found by operation or statement kind, then by what
// their patterns must contain, and only then by trying a pattern.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codecs/facts.h"
#include "proxy/rules/pattern_index.h"
#include "proxy/rules/rule_state.h"

namespace misrule::rules {

/// Positions in rule order.
using RuleIndex = std::uint32_t;

class ScopeRules {
 public:
  /// `rules` outlives this and does not move.
  explicit ScopeRules(const std::vector<CompiledRule>& rules) : rules_(&rules) {}

  void add(RuleIndex rule);
  void seal();

  /// Appends the rules whose match wants these facts, in no particular order, each once. Returns
  /// how many patterns were tried for it.
  std::size_t append_matching(const codecs::Facts& facts, std::vector<RuleIndex>& out) const;

 private:
  struct KindHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  const std::vector<CompiledRule>* rules_;
  PatternIndex of_any_kind_;
  /// By HTTP method or first word of the statement, in capitals.
  std::unordered_map<std::string, PatternIndex, KindHash, std::equal_to<>> by_kind_;
};

}  // namespace misrule::rules
