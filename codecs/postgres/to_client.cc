#include "codecs/postgres/to_client.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codecs/postgres/made_up.h"
#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres {

namespace {

using Kind = Owed::Kind;

constexpr std::size_t kReadyBytes = 6;

/// What contains() of a view does takes a call, for each message.
bool is_among(char type, std::string_view types) {
  return std::ranges::any_of(types, [type](char known) { return known == type; });
}

/// The types that may answer each kind, errors and what nobody asked for aside.
std::string_view answers(Kind kind) {
  switch (kind) {
    case Kind::kStartup:
    case Kind::kSync:
      return "Z";
    case Kind::kQuery:
      return "TDCIGHWcdZ";
    case Kind::kParse:
      return "1";
    case Kind::kBind:
      return "2";
    case Kind::kDescribeStatement:
      return "tTn";
    case Kind::kDescribePortal:
      return "Tn";
    case Kind::kExecute:
      return "DCIsGHcd";
    case Kind::kCloseStatement:
    case Kind::kClosePortal:
      return "3";
    case Kind::kFunctionCall:
      return "VZ";
    case Kind::kCopyEnd:
      break;
  }
  return "";
}

bool is_extended(Kind kind) {
  return kind != Kind::kStartup && kind != Kind::kQuery && kind != Kind::kFunctionCall &&
         kind != Kind::kSync;
}

/// A failed transaction answers this to everything, to what we put in a statement's place as well.
constexpr std::string_view kInFailedTransaction = "25P02";

bool is_servers_own(const Unit& failed, const ErrorFields& error) {
  if (!failed.is_acted_on()) return true;
  if (failed.fails_late() && !error.message.contains(kPoisonMark)) return true;
  return failed.fate == Unit::Fate::kPoison && error.code == kInFailedTransaction;
}

}  // namespace

Step ToClient::walk(ByteView unread) {
  Step step = walk_messages(unread, flow_, [this](ByteView rest) { return next(rest); });
  if (!step.act) step.act = made_up();
  session_.answers_at_once = flow_.passing == 0 && !losing_;
  return step;
}

void ToClient::released(Released why) {
  const auto unit = std::exchange(held_, std::nullopt);
  if (unit && why != Released::kDue) session_.host.hold_ended(*unit, why);
}

Move ToClient::next(ByteView rest) {
  if (session_.is_raw()) return {.pass = rest.size()};
  if (auto act = made_up()) return {.act = std::move(act)};
  const auto decoded = decode_message(rest, Sender::kServer, session_.limits);
  if (const auto* more = std::get_if<NeedMore>(&decoded)) return {.need = more->bytes_min};
  unread_ = rest.size();
  if (const auto* error = std::get_if<DecodeError>(&decoded)) {
    session_.go_opaque("from the server: " + error->what);
    return {.pass = rest.size()};
  }
  const auto& message = std::get<Message>(decoded);
  if (auto move = on_unasked(message)) return *std::move(move);
  Owed* const head = session_.ledger.head();
  if (head == nullptr) {
    // The server may say goodbye at any time.
    return message.type == 'E' ? pass(message) : desynchronised(message, "nothing was asked");
  }
  if (auto hold = hold_reply(*head)) return {.act = std::move(hold)};
  return on_owed(message, rest, *head);
}

Move ToClient::on_owed(const Message& message, ByteView rest, Owed& head) {
  Unit* const unit = head.unit();
  if (unit != nullptr && unit->loses_reply()) {
    begin_losing(*unit);
    // A COPY FROM whose client is told nothing never goes on.
    if (message.type == 'G' && still_passes_ == 0) return {.act = end_of_loss()};
  }
  const bool is_repeated = head.is_ours && head.kind == Kind::kQuery;
  if (message.type == 'E') {
    return is_repeated ? on_repeated(message, head) : on_error(message, rest);
  }
  if (!is_among(message.type, answers(head.kind))) {
    return desynchronised(message, "another answer is due");
  }
  if (is_repeated) return on_repeated(message, head);
  if (unit != nullptr && unit->fails_late() && is_beyond(message, *unit)) return swallow(message);
  if (unit != nullptr && unit->changes_reply() && !unit->plan->of_request) {
    return on_changed(message, rest, head);
  }
  return on_answer(message, head);
}

std::optional<Move> ToClient::on_unasked(const Message& message) {
  switch (message.type) {
    case 'S': {
      const auto texts = read_two_texts(message.head);
      if (texts) note_setting(texts->first, texts->second);
      return pass(message);
    }
    case 'K':
      session_.host.cancellable_by(message.head);
      return pass(message);
    case 'N':
    case 'A':
    case 'R':
    case 'v':
      return pass(message);
    default:
      return std::nullopt;
  }
}

Move ToClient::on_answer(const Message& message, Owed& head) {
  switch (message.type) {
    case 'Z':
      return on_ready(message, head);
    case 'C':
    case 'I':
    case 's':
      return on_tag(message, head);
    case '1':
    case '2':
    case '3':
      return on_named(message, head);
    case 't':
    case 'T':
    case 'n':
      return on_description(message, head);
    case 'G':
      session_.copies_binary = message.head.starts_with('\1');
      session_.ledger.copy_in_began();
      return pass(message);
    case 'W':
      session_.phase = Session::Phase::kRaw;
      session_.tell_all_unanswered("replication");
      return {.pass = unread_};
    default:
      return head.is_ours ? swallow(message) : pass(message);
  }
}

std::optional<Act> ToClient::hold_reply(Owed& head) {
  Unit* const unit = head.unit();
  if (unit == nullptr || unit->reply_hold <= Duration::zero()) return std::nullopt;
  held_ = unit->id;
  return Hold{.for_at_most = std::exchange(unit->reply_hold, Duration::zero()),
              .unit = unit->id,
              .cancellable = !unit->hold_is_loss};
}

void ToClient::note_setting(std::string_view name, std::string_view value) {
  if (name == "application_name") session_.application_name = value;
  if (name != "standard_conforming_strings") return;
  session_.backslash = value == "off" ? Backslash::kEscapes : Backslash::kOrdinary;
}

/// The server failed a Query: of that there is always more to come.
bool ToClient::awaits_ready(const Message& message, ByteView rest) {
  const Owed& head = *session_.ledger.head();
  const Unit* const unit = head.at < head.units.size() ? &head.units[head.at] : nullptr;
  return head.kind == Kind::kQuery && unit != nullptr && unit->fate == Unit::Fate::kPoison &&
         rest.size() < message.wire_bytes + message.rest_bytes + kReadyBytes;
}

std::optional<Act> ToClient::ended() {
  Owed* const head = session_.ledger.head();
  Unit* const unit = head != nullptr && awaiting_ready_ ? head->unit() : nullptr;
  if (unit == nullptr) return std::nullopt;
  session_.tell_injected(*unit);
  return Substitute{.with = error_response(*unit->error)};
}

Move ToClient::on_error(const Message& message, ByteView rest) {
  const ErrorFields error = read_error(message.head);
  // Both leave at once: a client that still copies would look in between.
  awaiting_ready_ = !error.is_fatal() && awaits_ready(message, rest);
  if (awaiting_ready_) {
    return {.need = message.wire_bytes + message.rest_bytes + kReadyBytes};
  }
  return with_ready(on_failure(message, error), message, rest);
}

/// What takes an error's place, and the ReadyForQuery behind it if that has come.
Move ToClient::with_ready(Move move, const Message& message, ByteView rest) {
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  const auto* const told = move.act ? std::get_if<Substitute>(&*move.act) : nullptr;
  Owed* const head = session_.ledger.head();
  if (told == nullptr || told->with.empty() || head == nullptr ||
      !answers(head->kind).contains('Z') || rest.size() < bytes + kReadyBytes ||
      rest[bytes] != 'Z') {
    return move;
  }
  const auto decoded = decode_message(rest.substr(bytes), Sender::kServer, session_.limits);
  const auto* const ready = std::get_if<Message>(&decoded);
  if (ready == nullptr || ready->wire_bytes != kReadyBytes) return move;
  flow_.dropping = 0;
  Move then = on_ready(*ready, *head);
  std::string with = told->with + std::string(rest.substr(bytes, then.pass));
  if (then.act && std::holds_alternative<Close>(*then.act)) {
    auto& close = std::get<Close>(*then.act);
    close.to_client.insert(0, with);
    return {.act = std::move(close)};
  }
  return {.act = Substitute{.bytes = bytes + kReadyBytes, .with = std::move(with)}};
}

Move ToClient::on_failure(const Message& message, const ErrorFields& error) {
  session_.failed_since_ready = true;
  session_.ledger.copy_in_ended();
  Owed& head = *session_.ledger.head();
  // The server failed it by itself: its own error is what a client is told.
  if (const Unit* const unit = head.unit(); unit != nullptr && unit->fate == Unit::Fate::kMask) {
    losing_ = masked_ || ends_when_ready_;
  }
  if (Unit* const unit = head.unit(); unit != nullptr && unit->fails_late()) {
    if (is_servers_own(*unit, error)) session_.skip(*unit, "the server failed it by itself");
  }
  if (error.is_fatal()) {
    // No ReadyForQuery will come; what else is owed is told when the connection ends.
    if (Unit* const unit = head.unit()) {
      if (unit->ends_connection()) return inject(message, *unit);
      session_.tell_failed(*unit, error);
    }
    return pass(message);
  }
  if (is_extended(head.kind)) return on_failed_segment(message, error);
  return on_failed_query(message, head, error);
}

Move ToClient::on_failed_query(const Message& message, Owed& head, const ErrorFields& error) {
  Unit* const failed = head.unit();
  const std::size_t behind = head.at + 1;
  head.at = head.units.size();
  if (failed == nullptr) return pass(message);
  Move move = is_servers_own(*failed, error) ? pass(message) : inject(message, *failed);
  session_.tell_failed(*failed, error);  // Unless it was told as injected.
  for (std::size_t i = behind; i < head.units.size(); ++i) session_.tell_not_run(head.units[i]);
  return move;
}

Move ToClient::on_failed_segment(const Message& message, const ErrorFields& error) {
  std::vector<Owed> skipped = session_.ledger.skip_to_sync();
  refuse(skipped.front(), false);
  Unit* const failed = skipped.front().unit();
  const bool by_itself = failed == nullptr || is_servers_own(*failed, error);
  Move move = by_itself ? pass(message) : inject(message, *failed);
  if (failed != nullptr) session_.tell_failed(*failed, error);
  bool is_told = failed != nullptr;
  for (Owed& owed : skipped) {
    if (&owed != &skipped.front()) refuse(owed, true);
    // An Execute of which nobody wants to be told has its failure all the same.
    is_told = is_told || (owed.kind == Kind::kExecute && owed.units.empty());
    for (Unit& unit : owed.units) {
      if (owed.is_made_up)
        session_.skip(unit, "what was asked before it failed, or it cannot be prepared");
      // What failed in preparing is the failure of the statement that was to be executed by it.
      if (!std::exchange(is_told, true)) session_.tell_failed(unit, error);
      session_.tell_not_run(unit);
    }
  }
  return move;
}

Move ToClient::on_tag(const Message& message, Owed& head) {
  return head.kind == Kind::kQuery ? on_query_tag(message, head) : on_execute_end(message, head);
}

Move ToClient::on_query_tag(const Message& message, Owed& head) {
  Unit* const unit = head.unit();
  if (unit == nullptr || message.type != 'C') return pass(message);
  // The ROLLBACK that stands before the failing statement, in a COMMIT's place.
  if (unit->is_acted_on()) return swallow(message);
  ++head.at;
  done(*unit, read_text(message.head));
  return unit->fate == Unit::Fate::kMask ? mask(message, *unit) : pass(message);
}

Move ToClient::on_execute_end(const Message& message, Owed& head) {
  Owed owed = std::move(head);
  session_.ledger.pop();
  Unit* const unit = owed.unit();
  if (unit == nullptr) return owed.is_ours ? swallow(message) : pass(message);
  if (unit->is_acted_on()) return inject(message, *unit);
  if (message.type == 'C') {
    done(*unit, read_text(message.head));
    if (unit->fate == Unit::Fate::kMask) return mask(message, *unit);
    // Without a Sync on its way there is nothing more to wait for.
    const bool is_lost = unit->loses_reply() && unit->fate != Unit::Fate::kMask;
    if (is_lost && still_passes_ == 0 && !session_.ledger.is_ready_due()) {
      return {.act = end_of_loss()};
    }
  } else {
    session_.tell(*unit, {.reply = message.type == 's' ? "portal suspended" : "empty query"});
    if (unit->fate == Unit::Fate::kMask) return mask(message, *unit);
  }
  return pass(message);
}

Move ToClient::on_named(const Message& message, Owed& head) {
  const Owed owed = std::move(head);
  session_.ledger.pop();
  if (owed.is_ours) return swallow(message);
  const bool is_portal = owed.kind == Kind::kBind || owed.kind == Kind::kClosePortal;
  (is_portal ? session_.registry.portals : session_.registry.statements).agreed(owed.name);
  return pass(message);
}

Move ToClient::on_ready(const Message& message, Owed& head) {
  for (std::size_t i = head.at; i < head.units.size(); ++i) session_.tell_not_run(head.units[i]);
  if (head.drops_unnamed) session_.registry.statements.agreed("");
  const bool was_repeated = head.is_repeated;
  session_.ledger.pop();
  if (!message.head.empty()) settle_transaction(message.head.front());
  if (losing_ && std::exchange(ends_when_ready_, false)) return {.act = end_of_loss()};
  losing_ = false;
  masked_ = false;
  if (was_repeated) return swallow(message);
  Move move = pass(message);
  if (flow_.passing == 0) move.act = on_idle();
  return move;
}

/// Asked when the session waits for its next statement and nothing is owed.
std::optional<Act> ToClient::on_idle() {
  if (session_.expected != Transaction::kIdle || !session_.ledger.empty() ||
      !session_.host.wants(Phase::kIdle)) {
    return std::nullopt;
  }
  Unit unit = session_.decide_moment(Phase::kIdle, "Idle");
  if (!unit.ends_connection()) {
    session_.tell(unit, {.reply = "idle"});
    return std::nullopt;
  }
  session_.tell_injected(unit);
  return Close{.reset = unit.fate == Unit::Fate::kReset,
               .to_client = unit.error ? error_response(*unit.error) : std::string()};
}

void ToClient::settle_transaction(char status) {
  const auto state = static_cast<Transaction>(status);
  if (state == Transaction::kIdle) {
    session_.registry.portals.clear_agreed();
    session_.timeout.transaction_ended(!session_.failed_since_ready);
    session_.failed_since_ready = false;
  }
  // What is expected may be another transaction, which the client began without waiting.
  const bool failed = state == Transaction::kFailed && session_.expected == Transaction::kOpen &&
                      !session_.ledger.is_transaction_end_due();
  if (session_.ledger.empty() || failed) session_.expect(state);
}

void ToClient::done(Unit& unit, std::string_view tag) {
  session_.tell_done(unit, tag);
  if (unit.ends_transaction() || unit.kind == StatementKind::kRollback) {
    session_.timeout.transaction_ended(tag != "ROLLBACK");
  }
  if (!unit.statement) return;
  const std::string& raw = unit.statement->raw;
  Registry& registry = session_.registry;
  if (tag == "DEALLOCATE ALL" || tag == "DISCARD ALL") {
    registry.statements.clear_agreed();
  } else if (tag == "DEALLOCATE") {
    if (const auto name = read_deallocate(raw)) registry.statements.put(name_key(*name), nullptr);
  } else if (tag == "PREPARE" && registry.has_room()) {
    if (const auto prepare = read_prepare(raw)) {
      auto named = std::make_shared<Named>(
          Named{.statement = registry.make(prepare->statement, session_.backslash),
                .name = prepare->name});
      registry.statements.put(name_key(prepare->name), std::move(named));
    }
  }
  session_.timeout.carried_out(raw);
}

void ToClient::refuse(const Owed& owed, bool keeps_old) {
  if (owed.is_ours) return;
  Registry& registry = session_.registry;
  const bool keeps = keeps_old || !owed.name.empty();
  if (owed.kind == Kind::kParse) registry.statements.refused(owed.name, keeps);
  if (owed.kind == Kind::kBind) registry.portals.refused(owed.name, keeps);
  if (owed.kind == Kind::kCloseStatement) registry.statements.refused(owed.name, true);
  if (owed.kind == Kind::kClosePortal) registry.portals.refused(owed.name, true);
  if (owed.drops_unnamed) registry.statements.refused("", true);
}

Move ToClient::inject(const Message& message, Unit& unit) {
  session_.tell_injected(unit);
  std::string error = unit.error ? error_response(*unit.error) : std::string();
  if (unit.ends_connection()) {
    return {.act = Close{.reset = unit.fate == Unit::Fate::kReset, .to_client = std::move(error)}};
  }
  // To a client that has been told of a failure already the rest was never carried out.
  if (masked_ || ends_when_ready_) return swallow(message);
  flow_.dropping = message.rest_bytes;
  return {.act = Substitute{.bytes = message.wire_bytes, .with = std::move(error)}};
}

/// The error in place of the success; what else comes until ReadyForQuery has no one to read it.
Move ToClient::mask(const Message& message, const Unit& unit) {
  if (ends_when_ready_ || std::exchange(masked_, true)) return swallow(message);
  flow_.dropping = message.rest_bytes;
  return {.act = Substitute{.bytes = message.wire_bytes, .with = error_response(*unit.error)}};
}

Move ToClient::pass(const Message& message) {
  if (losing_) return pass_what_still_may(message);
  flow_.passing = message.rest_bytes;
  return {.pass = message.wire_bytes};
}

Move ToClient::swallow(const Message& message) {
  flow_.dropping = message.rest_bytes;
  return {.act = Substitute{.bytes = message.wire_bytes}};
}

Move ToClient::desynchronised(const Message& message, std::string_view why) {
  session_.go_opaque(fmt::format("from the server: message '{}', but {}", message.type, why));
  return {.pass = unread_};
}

}  // namespace misrule::codecs::postgres
