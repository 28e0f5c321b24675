#include "codecs/postgres/session.h"

#include <utility>

#include <fmt/format.h>

#include "codecs/postgres/details.h"
#include "codecs/postgres/misfit.h"

namespace misrule::codecs::postgres {

namespace {

/// Whose success changes what the session remembers.
bool changes_session(StatementKind kind) {
  switch (kind) {
    case StatementKind::kSet:
    case StatementKind::kReset:
    case StatementKind::kPrepare:
    case StatementKind::kDeallocate:
    case StatementKind::kDiscard:
      return true;
    default:
      return false;
  }
}

bool wants_replication(std::string_view value) {
  return !value.empty() && value != "false" && value != "off" && value != "no" && value != "0";
}

Unit::Fate fate_of(Verb::Kind kind) {
  switch (kind) {
    case Verb::Kind::kPoison:
    case Verb::Kind::kReplace:
      return Unit::Fate::kPoison;
    case Verb::Kind::kClose:
    case Verb::Kind::kSwallow:  // A request without any answer: the connection ends instead.
      return Unit::Fate::kClose;
    case Verb::Kind::kReset:
      return Unit::Fate::kReset;
    case Verb::Kind::kMask:
      return Unit::Fate::kMask;
    case Verb::Kind::kLose:
      return Unit::Fate::kLose;
    case Verb::Kind::kRespond:
      return Unit::Fate::kRespond;
    case Verb::Kind::kRewrite:
      return Unit::Fate::kRewrite;
    case Verb::Kind::kDuplicate:
      return Unit::Fate::kDuplicate;
    case Verb::Kind::kCorrupt:
      return Unit::Fate::kCorrupt;
    case Verb::Kind::kTruncate:
      return Unit::Fate::kTruncate;
    case Verb::Kind::kForward:
      break;
  }
  return Unit::Fate::kForward;
}

/// The server's own kind of FATAL: told, and the connection ends with it.
void make_fatal_an_end(Unit& unit) {
  if (unit.fate != Unit::Fate::kPoison) return;
  if (unit.error->severity == "FATAL" || unit.error->severity == "PANIC") {
    unit.fate = Unit::Fate::kClose;
  }
}

std::string_view end_text(Unit::Fate fate) {
  return fate == Unit::Fate::kReset ? "connection reset" : "connection closed";
}

Unit unit_of(std::uint64_t id, Verb verb) {
  Unit unit{.id = id, .tag = verb.tag, .fate = fate_of(verb.kind)};
  (verb.hold_reply ? unit.reply_hold : unit.hold) = verb.hold;
  unit.hold_is_loss = verb.hold_is_loss;
  unit.resets = verb.resets;
  unit.seed = verb.seed;
  unit.plan = std::move(verb.plan);
  if (unit.is_acted_on()) unit.after_rows = verb.after_rows;
  if (unit.fate == Unit::Fate::kPoison || unit.fate == Unit::Fate::kMask) {
    unit.error = std::make_unique<ErrorText>(std::move(verb.error));
    if (unit.error->severity.empty()) unit.error->severity = "ERROR";
    make_fatal_an_end(unit);
  }
  return unit;
}

/// What the client of a reply that is lost is told.
std::string told_instead(const Unit& unit) {
  if (unit.fate == Unit::Fate::kTruncate) {
    return fmt::format("cut off after {} bytes", unit.plan->bytes);
  }
  if (!unit.error) return unit.resets ? "connection reset" : "connection closed";
  return fmt::format("{} {}: {}", unit.error->severity, unit.error->code, unit.error->message);
}

}  // namespace

std::string_view state_text(Transaction state) {
  switch (state) {
    case Transaction::kIdle:
      return "idle";
    case Transaction::kOpen:
      return "transaction";
    case Transaction::kFailed:
      break;
  }
  return "failed";
}

void Session::introduce(const FirstPacket& packet) {
  for (const auto& [name, value] : packet.parameters) {
    if (name == "user") user = value;
    if (name == "database") database = value;
    if (name == "application_name") application_name = value;
  }
  if (database.empty()) database = user;
}

void Session::started(const FirstPacket& packet) {
  phase = Phase::kMessages;
  introduce(packet);
  for (const auto& [name, value] : packet.parameters) {
    if (name == "replication" && wants_replication(value)) phase = Phase::kRaw;
  }
  timeout.start(packet.parameters);
  ledger.push({.kind = Owed::Kind::kStartup});
}

void Session::go_opaque(std::string_view why) {
  if (is_raw()) return;
  phase = Phase::kRaw;
  tell_all_unanswered("not decoded");
  host.went_opaque(why);
}

Unit Session::decide(std::string_view operation, const StatementPtr& statement,
                     const Named* portal) {
  NamedPtr executed;
  std::string prepared = portal != nullptr && portal->prepared ? portal->prepared->name : "";
  if (statement->kind == StatementKind::kExecute) {
    if (const auto name = read_execute(statement->raw)) {
      prepared = *name;
      executed = registry.statements.last(name_key(*name));
    }
  }
  const Statement& matched = *(executed ? executed->statement : statement);
  const StatementDetails details(matched, portal, prepared);
  Verb verb = host.decide({.unit = ++units,
                           .protocol = "postgres",
                           .operation = operation,
                           .subject = matched.normal,
                           .text = statement->raw,
                           .state = state_text(expected),
                           .user = user,
                           .database = database,
                           .application_name = application_name,
                           .transaction = expected == Transaction::kIdle ? 0 : transactions,
                           .details = &details});
  Unit unit = unit_of(units, std::move(verb));
  unit.kind = statement->kind;
  if (unit.fate == Unit::Fate::kPoison && !may_fail(unit)) {
    skip(unit, "a server does not refuse this by itself, or refuses all there is");
  }
  if (unit.kind != StatementKind::kOther && unit.kind != StatementKind::kExecute) {
    unit.after_rows = 0;
  }
  unit.copies_in = matched.normal.starts_with("copy ") && matched.normal.contains(" from stdin");
  if (unit.fate == Unit::Fate::kRespond) unit.made_up_tag = made_up_tag(*unit.plan, matched);
  if (const auto why = misfit(unit, matched, expected == Transaction::kFailed); !why.empty()) {
    skip(unit, why);
  }
  if (changes_session(unit.kind)) unit.statement = statement;
  return unit;
}

Unit Session::decide_moment(codecs::Phase moment, std::string_view operation) {
  Verb verb = host.decide({.unit = ++units,
                           .protocol = "postgres",
                           .operation = operation,
                           .state = state_text(expected),
                           .user = user,
                           .database = database,
                           .application_name = application_name,
                           .phase = moment});
  // There is no statement that could fail: the session does.
  verb.error.severity = "FATAL";
  return unit_of(units, std::move(verb));
}

void Session::skip(Unit& unit, std::string_view why) {
  unit.fate = Unit::Fate::kForward;
  unit.after_rows = 0;
  unit.tag = 0;
  host.skipped(unit.id, why);
}

void Session::expect(Transaction state) {
  if (expected == Transaction::kIdle && state != Transaction::kIdle) ++transactions;
  expected = state;
}

bool Session::is_outlasted_by_timeout(const Unit& unit) const {
  if (unit.hold_is_loss) return false;
  const Duration limit = timeout.value();
  return limit > Duration::zero() && limit < unit.hold && may_fail(unit);
}

bool Session::may_fail(const Unit& unit) const {
  return expected != Transaction::kFailed && unit.kind != StatementKind::kRollback &&
         unit.kind != StatementKind::kRollbackTo;
}

void Session::tell(Unit& unit, Exchange exchange) {
  if (std::exchange(unit.told, true) || !host.follows()) return;
  exchange.unit = unit.id;
  exchange.tag = unit.tag;
  host.exchanged(exchange);
}

void Session::tell_done(Unit& unit, std::string_view tag) {
  if (!host.follows()) return;
  // A server that was asked to commit a failed transaction says ROLLBACK.
  const bool undone = unit.ends_transaction() && tag == "ROLLBACK";
  Exchange exchange{.reply = std::string(tag),
                    .rows = rows_of_tag(tag),
                    .server = undone ? ServerOutcome::kDidNot : ServerOutcome::kDid};
  if (unit.loses_reply()) {
    exchange.failed = true;
    exchange.reply = fmt::format("{} in place of {}", told_instead(unit), tag);
    if (unit.error) exchange.code = unit.error->code;
  }
  tell(unit, std::move(exchange));
}

void Session::tell_failed(Unit& unit, const ErrorFields& error) {
  tell(unit, {.reply = error.as_text(),
              .code = std::string(error.code),
              .failed = true,
              .server = error.is_fatal() ? ServerOutcome::kUnknown : ServerOutcome::kDidNot});
}

void Session::tell_injected(Unit& unit) {
  Exchange exchange{.failed = true, .server = ServerOutcome::kDidNot};
  if (unit.error) {
    exchange.reply = told_instead(unit);
    exchange.code = unit.error->code;
  } else {
    exchange.reply = end_text(unit.fate);
  }
  tell(unit, std::move(exchange));
}

void Session::tell_made_up(Unit& unit) {
  tell(unit, {.reply = unit.made_up_tag,
              .rows = rows_of_tag(unit.made_up_tag),
              .server = ServerOutcome::kDidNot});
}

void Session::tell_not_run(Unit& unit) {
  tell(unit, {.reply = "not run: an earlier statement failed",
              .failed = true,
              .server = ServerOutcome::kDidNot});
}

void Session::tell_unanswered(Unit& unit, std::string_view reply) {
  tell(unit, {.reply = std::string(reply),
              .failed = true,
              .server = unit.is_acted_on() ? ServerOutcome::kDidNot : ServerOutcome::kUnknown});
}

void Session::tell_all_unanswered(std::string_view reply) {
  for (Owed& owed : ledger.take_all()) {
    for (Unit& unit : owed.units) tell_unanswered(unit, reply);
  }
}

}  // namespace misrule::codecs::postgres
