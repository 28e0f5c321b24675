#pragma once

// What a rule is once compiled, and what is counted about it.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/delay_shape.h"
#include "base/glob.h"
#include "codecs/facts.h"
#include "proxy/rules/detail_match.h"
#include "proxy/rules/link.h"
#include "proxy/rules/rule_set.h"
#include "proxy/rules/trigger.h"
#include "spec/model/topology.h"

namespace misrule::rules {

/// Counted per rule id over all connections, and kept while sets come and go.
struct RuleCounters {
  std::string id = {};
  std::atomic<std::uint64_t> matched = 0;
  std::atomic<std::uint64_t> fired = 0;
  std::atomic<std::uint64_t> outranked = 0;  ///< The trigger let it through; an earlier rule acted.
  std::atomic<std::uint64_t> skipped = 0;    ///< It could not be carried out as things stood.
  KeyCounts by_key = {};                     ///< Per::kKey.
};

/// What a PostgreSQL session must be, where a rule says so.
struct SessionMatch {
  std::optional<std::string> user = {};
  std::optional<std::string> database = {};
  std::optional<std::string> application_name = {};
  std::optional<bool> in_transaction = {};

  bool wants(const codecs::Facts& facts) const;
};

/// A rule as it was worded in some set; the same id worded differently is another state with the
/// same counters.
struct RuleState {
  RuleName name = {};
  std::uint64_t tag = 0;
  std::string wording = {};  ///< The serialised rule, to know it again.
  Trigger trigger = {};
  TimePoint armed = {};  ///< When it was first worded so.
  RuleCounters* counters = nullptr;
};

/// One rule of one set.
struct CompiledRule {
  const RuleState* state = nullptr;
  model::Protocol protocol = model::Protocol::kTcp;
  std::string source = {};           ///< Empty: the services.
  std::string method = {};           ///< HTTP, in capitals; empty: any.
  std::optional<Glob> command = {};  ///< Redis: over the name; none: any.
  std::optional<Glob> glob = {};     ///< Over Facts::subject, Redis: each key; none: any.
  codecs::Verb verb = {};
  DelayShape delay = {};                     ///< Of the verb's hold, where it varies.
  std::optional<SessionMatch> session = {};  ///< Postgres: what the session must be; none: any.
  std::vector<DetailMatch> details = {};     ///< All of them, beyond what `wants` looks at.
  codecs::Phase phase = codecs::Phase::kRequest;
  std::optional<LinkShapes> link = {};  ///< It is about connections, not units.

  /// Does the match want a unit of this operation and subject? Protocol and source are the scope's.
  bool wants(std::string_view operation, std::string_view subject) const;
  bool wants(const codecs::Facts& facts) const;

 private:
  bool wants_operation(std::string_view operation) const;
};

/// Why a rule whose match wants a unit must leave it alone, if it must: an injected error would not
/// be what a server could have said.
enum class Untouchable : std::uint8_t {
  kNo,
  kFailedTransaction,  ///< The server refuses the statement by itself.
  kRollback,           ///< A server does not refuse to roll back.
  kNeverSo,            ///< A server answers the command otherwise.
  kInTransaction,      ///< A masked success there: the client would go on in a failed transaction.
};
Untouchable untouchable(const CompiledRule& rule, const codecs::Facts& facts);

}  // namespace misrule::rules
