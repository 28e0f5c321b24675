#include "proxy/rules/rule_state.h"

#include "codecs/postgres/sql.h"
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
  using codecs::postgres::StatementKind;
  const bool rolls_back = codecs::postgres::kind_of(facts.subject) == StatementKind::kRollback;
  return rolls_back ? Untouchable::kRollback : Untouchable::kNo;
}

}  // namespace misrule::rules
