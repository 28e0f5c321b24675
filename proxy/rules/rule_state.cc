#include "proxy/rules/rule_state.h"

#include <algorithm>

#include "codecs/postgres/sql.h"
#include "proxy/rules/redis_legality.h"
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

bool CompiledRule::wants_operation(std::string_view operation) const {
  if (!method.empty() && !equal_without_case(method, operation)) return false;
  if (!command.has_value() || command->matches(operation)) return true;
  // "CONFIG" stands for each of its subcommands.
  const std::size_t blank = operation.find(' ');
  return blank != std::string_view::npos && command->matches(operation.substr(0, blank));
}

bool CompiledRule::wants(std::string_view operation, std::string_view subject) const {
  return wants_operation(operation) && (!glob.has_value() || glob->matches(subject));
}

bool SessionMatch::wants(const codecs::Facts& facts) const {
  if (user && *user != facts.user) return false;
  if (database && *database != facts.database) return false;
  if (application_name && *application_name != facts.application_name) return false;
  return !in_transaction || *in_transaction == (facts.state != "idle");
}

bool CompiledRule::wants(const codecs::Facts& facts) const {
  if (protocol != model::Protocol::kRedis) return wants(facts.operation, facts.subject);
  if (!wants_operation(facts.operation)) return false;
  return !glob.has_value() || std::ranges::any_of(facts.keys, [this](std::string_view key) {
    return glob->matches(key);
  });
}

Untouchable untouchable(const CompiledRule& rule, const codecs::Facts& facts) {
  const bool is_error =
      rule.verb.kind == codecs::Verb::Kind::kMask || rule.verb.kind == codecs::Verb::Kind::kPoison;
  if (is_error && rule.protocol == model::Protocol::kRedis) {
    const bool is_named = rule.command.has_value() && !has_wildcard(rule.command->pattern());
    return redis_can_answer(rule.verb, facts, is_named) ? Untouchable::kNo : Untouchable::kNeverSo;
  }
  if (rule.protocol == model::Protocol::kRedis) {
    return redis_can_take(rule.verb, facts) ? Untouchable::kNo : Untouchable::kNeverSo;
  }
  // A session that begins, or waits, has no statement.
  if (facts.phase == codecs::Phase::kStartup || facts.phase == codecs::Phase::kIdle) {
    return Untouchable::kNo;
  }
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
