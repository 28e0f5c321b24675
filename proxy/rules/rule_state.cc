#include "proxy/rules/rule_state.h"

#include "proxy/rules/words.h"

namespace misrule::rules {

bool CompiledRule::wants(std::string_view operation, std::string_view subject) const {
  if (!method.empty() && !equal_without_case(method, operation)) return false;
  return !glob.has_value() || glob->matches(subject);
}

Untouchable untouchable(const CompiledRule& rule, const codecs::Facts& facts) {
  if (rule.verb.kind != codecs::Verb::Kind::kPoison) return Untouchable::kNo;
  if (rule.verb.error.severity == "FATAL") return Untouchable::kNo;
  if (facts.state == "failed") return Untouchable::kFailedTransaction;
  const std::string_view word = first_word(facts.subject);
  const bool rolls_back = equal_without_case(word, "rollback") || equal_without_case(word, "abort");
  return rolls_back ? Untouchable::kRollback : Untouchable::kNo;
}

}  // namespace misrule::rules
