#include "proxy/rules/scope_rules.h"

#include <algorithm>

#include "proxy/rules/words.h"

namespace misrule::rules {
namespace {

// A command's name without its subcommand.
std::string_view without_subcommand(std::string_view command) {
  return command.substr(0, command.find(' '));
}

std::string kind_of_redis_rule(const CompiledRule& rule) {
  if (!rule.command.has_value()) return {};
  const std::string_view pattern = rule.command->pattern();
  const bool is_literal = pattern.find_first_of("*?\\") == std::string_view::npos;
  return is_literal ? in_capitals(without_subcommand(pattern)) : std::string();
}

// The kind that every unit wanted by the rule has; empty if units of several kinds can be.
std::string kind_of_rule(const CompiledRule& rule) {
  if (rule.protocol == model::Protocol::kHttp) return rule.method;
  if (rule.protocol == model::Protocol::kRedis) return kind_of_redis_rule(rule);
  if (!rule.glob.has_value()) return {};
  const std::string_view pattern = rule.glob->pattern();
  const std::string_view word = first_word(pattern);
  // The word is whole only if a literal byte that is no letter ends it.
  const bool whole = word.size() < pattern.size() && pattern[word.size()] == ' ';
  return whole ? in_capitals(word) : std::string();
}

std::string kind_of_unit(const codecs::Facts& facts) {
  if (facts.protocol == "redis") return std::string(without_subcommand(facts.operation));
  return in_capitals(facts.protocol == "http" ? facts.operation : first_word(facts.subject));
}

// A unit of several keys may meet a rule by each of them.
void append_candidates(const PatternIndex& index, const codecs::Facts& facts,
                       std::vector<RuleIndex>& out) {
  if (facts.keys.size() < 2) return index.append_candidates(facts.subject, out);
  const std::size_t first = out.size();
  for (const std::string_view key : facts.keys) index.append_candidates(key, out);
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(first);
  std::sort(begin, out.end());
  out.erase(std::unique(begin, out.end()), out.end());
}

}  // namespace

void ScopeRules::add(RuleIndex rule) {
  const CompiledRule& compiled = (*rules_)[rule];
  const std::string kind = kind_of_rule(compiled);
  const std::string_view pattern =
      compiled.glob.has_value() ? std::string_view(compiled.glob->pattern()) : "*";
  PatternIndex& index = kind.empty() ? of_any_kind_ : by_kind_[kind];
  index.add(pattern, rule);
}

void ScopeRules::seal() {
  of_any_kind_.seal();
  for (auto& [kind, index] : by_kind_) index.seal();
}

std::size_t ScopeRules::append_matching(const codecs::Facts& facts,
                                        std::vector<RuleIndex>& out) const {
  const std::size_t first = out.size();
  append_candidates(of_any_kind_, facts, out);
  if (!by_kind_.empty()) {
    const auto kind = by_kind_.find(kind_of_unit(facts));
    if (kind != by_kind_.end()) append_candidates(kind->second, facts, out);
  }
  const std::size_t tried = out.size() - first;
  const auto unwanted = [&](RuleIndex rule) { return !(*rules_)[rule].wants(facts); };
  out.erase(std::remove_if(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), unwanted),
            out.end());
  return tried;
}

}  // namespace misrule::rules
