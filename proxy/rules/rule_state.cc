#include "proxy/rules/rule_state.h"

#include "codecs/postgres/sql.h"
#include "proxy/rules/words.h"

namespace misrule::rules {

namespace {

using codecs::postgres::StatementKind;

// A COMMIT ends the transaction on both sides; what begins or continues one must not be masked.
bool may_mask(const codecs::Facts& facts) {
  const StatementKind kind = codecs::postgres::kind_of(facts.subject);
  if (kind == StatementKind::kCommit || kind == StatementKind::kPrepareTransaction) {
    return facts.state != "failed";
  }
  return facts.state == "idle" && kind != StatementKind::kBegin;
}

}  // namespace

bool CompiledRule::wants(std::string_view operation, std::string_view subject) const {
  if (!method.empty() && !equal_without_case(method, operation)) return false;
  return !glob.has_value() || glob->matches(subject);
}

Untouchable untouchable(const CompiledRule& rule, const codecs::Facts& facts) {
  const bool masks_postgres =
      rule.verb.kind == codecs::Verb::Kind::kMask && rule.protocol == model::Protocol::kPostgres;
  if (masks_postgres) return may_mask(facts) ? Untouchable::kNo : Untouchable::kInTransaction;
  if (rule.verb.kind != codecs::Verb::Kind::kPoison) return Untouchable::kNo;
  if (rule.verb.error.severity == "FATAL") return Untouchable::kNo;
  if (facts.state == "failed") return Untouchable::kFailedTransaction;
  const bool rolls_back = codecs::postgres::kind_of(facts.subject) == StatementKind::kRollback;
  return rolls_back ? Untouchable::kRollback : Untouchable::kNo;
}

}  // namespace misrule::rules
