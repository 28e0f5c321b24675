#include "codecs/postgres/to_server.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "codecs/postgres/made_up.h"
#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres {

using Kind = Owed::Kind;

Step ToServer::walk(ByteView unread) {
  return walk_messages(unread, flow_, [this](ByteView rest) { return next(rest); });
}

std::optional<std::uint64_t> ToServer::held_unit() const {
  if (!front_ || !front_->holding) return std::nullopt;
  return front_->units[front_->next_hold].id;
}

void ToServer::ended() { give_up("connection closed", ServerOutcome::kDidNot); }

void ToServer::give_up(std::string_view reply, ServerOutcome server) {
  if (!front_) return;
  for (Unit& unit : front_->units) {
    session_.tell(unit, {.reply = std::string(reply), .failed = true, .server = server});
  }
  front_.reset();
}

Move ToServer::next(ByteView rest) {
  if (session_.is_raw()) {
    give_up("not decoded", ServerOutcome::kUnknown);
    return {.pass = rest.size()};
  }
  if (session_.phase == Session::Phase::kFirstPacket) return on_first_packet(rest);
  const auto decoded = decode_message(rest, Sender::kClient, session_.limits);
  if (const auto* more = std::get_if<NeedMore>(&decoded)) return {.need = more->bytes_min};
  if (const auto* error = std::get_if<DecodeError>(&decoded)) {
    session_.go_opaque("from the client: " + error->what);
    return {.pass = rest.size()};
  }
  return on_message(std::get<Message>(decoded), rest);
}

Move ToServer::on_first_packet(ByteView rest) {
  const auto decoded = decode_first_packet(rest, session_.limits);
  if (const auto* more = std::get_if<NeedMore>(&decoded)) return {.need = more->bytes_min};
  if (const auto* error = std::get_if<DecodeError>(&decoded)) {
    session_.go_opaque("from the client: " + error->what);
    return {.pass = rest.size()};
  }
  const auto& packet = std::get<FirstPacket>(decoded);
  switch (packet.kind) {
    case FirstPacket::Kind::kSslRequest:
    case FirstPacket::Kind::kGssEncRequest:
      return {.act = Answer{.bytes = packet.wire_bytes, .with = "N"}};
    case FirstPacket::Kind::kCancelRequest:
      session_.phase = Session::Phase::kRaw;
      // The server has nothing to cancel while we hold the statement, and would hit the next one.
      if (session_.host.cancel_held(packet.cancel_key)) return {.act = Close{}};
      break;
    case FirstPacket::Kind::kStartup:
      return on_startup(packet);
  }
  return {.pass = packet.wire_bytes};
}

Move ToServer::on_startup(const FirstPacket& packet) {
  if (!front_ && session_.host.wants(codecs::Phase::kStartup)) {
    session_.introduce(packet);
    front_ = Front();
    front_->units.push_back(session_.decide_moment(codecs::Phase::kStartup, "Startup"));
  }
  if (front_) {
    if (auto hold = next_hold()) return {.act = std::move(hold)};
    Unit& unit = front_->units.front();
    if (auto end = end_at_once(unit)) {
      ended();
      return {.act = std::move(end)};
    }
    session_.tell(unit, {.reply = "session begins"});
    front_.reset();
  }
  session_.started(packet);
  return {.pass = packet.wire_bytes};
}

Move ToServer::on_message(const Message& message, ByteView rest) {
  if (skips_to_sync_ && message.type != 'X') {
    if (message.type != 'S') return drop(message);
    skips_to_sync_ = false;
  }
  if (drops_copy_ && (message.type == 'd' || message.type == 'c' || message.type == 'f')) {
    if (message.type != 'd') drops_copy_ = false;
    return drop(message);
  }
  switch (message.type) {
    case 'c':
    case 'f':
    case 'd':
      if (Unit* const unit = failing_copy()) return on_failing_copy(message, rest, *unit);
      break;
    case 'S':
    case 'H':
      break;
    default:
      drops_copy_ = false;
  }
  switch (message.type) {
    case 'c':
    case 'f':
      session_.ledger.copy_end_sent();
      return pass(message);
    case 'd':
    case 'p':
    case 'H':
    case 'X':
      return pass(message);
    default:
      break;
  }
  if (session_.ledger.copying()) {
    // Sync is a part of the COPY; any other request is what ends it, with an error.
    if (message.type != 'S') session_.ledger.copy_in_ended();
    return pass_unread(message);
  }
  if (session_.ledger.skipping() && message.type != 'S') return pass_unread(message);
  return on_outside_copy(message, rest);
}

/// The server may not have said yet that the COPY begins: asyncpg does not wait for it.
Unit* ToServer::failing_copy() {
  Ledger& ledger = session_.ledger;
  Owed* const copy = ledger.copying() ? ledger.head() : ledger.last();
  Unit* const unit = copy == nullptr ? nullptr : copy->unit();
  return unit != nullptr && unit->copies_in && unit->fails_late() ? unit : nullptr;
}

Move ToServer::on_failing_copy(const Message& message, ByteView rest, Unit& unit) {
  constexpr std::size_t kCountedMax = kMiB;
  constexpr std::string_view kBinaryCopy("PGCOPY\n\377\r\n\0", 11);
  if (message.type == 'f') {
    session_.ledger.copy_end_sent();
    return pass(message);
  }
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  if (message.type == 'd') {
    if (bytes <= kCountedMax && rest.size() < bytes) return {.need = bytes};
    const ByteView rows = rest.substr(message.wire_bytes, message.rest_bytes);
    if (!session_.ledger.copying() && unit.rows_passed == 0) {
      session_.copies_binary = rows.starts_with(kBinaryCopy);
    }
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(rows, '\n'));
    unit.rows_passed += session_.copies_binary ? 1 : lines;
    if (unit.rows_passed <= unit.after_rows) return pass(message);
    drops_copy_ = true;
  }
  session_.ledger.copy_end_sent();
  return substitute(message, copy_fail(unit.tag));
}

/// A Query or Execute that no rule can be about, of a statement of which nothing is to be known.
bool ToServer::may_pass_untold(const Message& message) {
  if (front_ || !session_.host.is_idle()) return false;
  Owed owed;
  if (message.type == 'Q') {
    if (message.rest_bytes > 0 || !is_plain(read_text(message.head))) return false;
    owed = owed_query({});
  } else {
    const NamedPtr portal = session_.registry.portals.last(name_key(read_text(message.head)));
    const bool is_first_of_plain = portal && !portal->executed && !portal->statement->is_empty() &&
                                   portal->statement->kind == StatementKind::kOther;
    if (!is_first_of_plain) return false;
    portal->executed = true;
    owed = {.kind = Kind::kExecute, .named = portal};
  }
  ++session_.units;
  session_.host.passed(1);
  owe(std::move(owed));
  return true;
}

Move ToServer::on_outside_copy(const Message& message, ByteView rest) {
  switch (message.type) {
    case 'Q':
      return may_pass_untold(message) ? pass(message) : on_query(message, rest);
    case 'E':
      return may_pass_untold(message) ? pass(message) : on_execute(message, rest);
    case 'P':
      on_parse(message);
      break;
    case 'B':
      return on_whole_bind(message, rest);
    case 'C':
      on_close(message);
      break;
    case 'D':
      on_describe(message);
      break;
    case 'F':
      owe({.kind = Kind::kFunctionCall});
      break;
    default:
      owe({.kind = Kind::kSync});
      break;
  }
  return pass(message);
}

Move ToServer::on_query(const Message& message, ByteView rest) {
  if (!front_) front_ = decide_query(read_text(message.head));
  if (auto hold = next_hold()) return {.act = std::move(hold)};
  skip_what_cannot_be(message);
  if (auto changed = send_changed(message, rest)) return *std::move(changed);
  return send_query(message);
}

Move ToServer::on_execute(const Message& message, ByteView rest) {
  if (!front_) front_ = decide_execute(message);
  if (auto hold = next_hold()) return {.act = std::move(hold)};
  skip_what_cannot_be(message);
  if (auto changed = send_changed(message, rest)) return *std::move(changed);
  return send_execute(message);
}

void ToServer::on_parse(const Message& message) {
  const auto texts = read_two_texts(message.head);
  Owed owed{.kind = Kind::kParse, .name = name_key(texts ? texts->first : "")};
  NamedPtr named;
  if (texts && session_.registry.has_room()) {
    named = std::make_shared<Named>(Named{
        .statement = session_.registry.make(texts->second, session_.backslash), .name = owed.name});
    if (message.rest_bytes == 0) named->asked_parameters = read_parameter_types(message.head);
  }
  session_.registry.statements.ask(owed.name, std::move(named));
  owe(std::move(owed));
}

/// Long values are waited for only if somebody looks at them.
Move ToServer::on_whole_bind(const Message& message, ByteView rest) {
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  if (message.rest_bytes == 0 || bytes > session_.limits.bound_bytes_max ||
      !session_.host.wants(Detail::kParameter)) {
    on_bind(message);
    return pass(message);
  }
  if (rest.size() < bytes) return {.need = bytes};
  const Message whole = in_whole(message, rest);
  on_bind(whole);
  return pass(whole);
}

void ToServer::on_bind(const Message& message) {
  const auto texts = read_two_texts(message.head);
  Owed owed{.kind = Kind::kBind, .name = name_key(texts ? texts->first : "")};
  const NamedPtr statement =
      texts ? session_.registry.statements.last(name_key(texts->second)) : nullptr;
  NamedPtr portal;
  if (statement && session_.registry.has_room()) {
    portal =
        std::make_shared<Named>(Named{.statement = statement->statement, .prepared = statement});
    const std::string_view bound = read_behind_two_texts(message.head);
    if (message.rest_bytes == 0 && session_.registry.has_room_for(*portal, bound.size())) {
      portal->bound = bound;
    }
  }
  session_.registry.portals.ask(owed.name, std::move(portal));
  owe(std::move(owed));
}

void ToServer::on_close(const Message& message) {
  const auto target = read_target(message.head).value_or(Target{});
  Owed owed{.kind = target.is_portal ? Kind::kClosePortal : Kind::kCloseStatement,
            .name = name_key(target.name)};
  Registry& registry = session_.registry;
  (target.is_portal ? registry.portals : registry.statements).ask(owed.name, nullptr);
  owe(std::move(owed));
}

void ToServer::on_describe(const Message& message) {
  const auto target = read_target(message.head).value_or(Target{});
  const Registry& registry = session_.registry;
  const Names& names = target.is_portal ? registry.portals : registry.statements;
  owe({.kind = target.is_portal ? Kind::kDescribePortal : Kind::kDescribeStatement,
       .named = names.last(name_key(target.name))});
}

ToServer::Front ToServer::decide_query(std::string_view text) {
  Front front;
  // Most strings are one statement, which need not be looked for.
  const std::size_t last = text.find_last_not_of("; \n");
  if (text.find(';') < last && last != std::string_view::npos) {
    front.extents = split_statements(text, session_.backslash);
  } else {
    front.extents.push_back({.begin = 0, .end = text.size()});
  }
  for (const Extent& extent : front.extents) {
    const std::string_view raw = text.substr(extent.begin, extent.end - extent.begin);
    Statement read{.raw = std::string(raw), .normal = normal_form(raw, session_.backslash)};
    if (read.is_empty()) continue;
    read.kind = kind_of(read.normal);
    const auto statement = std::make_shared<const Statement>(std::move(read));
    front.units.push_back(session_.decide("Query", statement));
    // What stands behind a statement that will fail is not executed.
    if (front.units.back().is_acted_on()) break;
    advance(front.units.back());
  }
  return front;
}

ToServer::Front ToServer::decide_execute(const Message& message) {
  const NamedPtr portal = session_.registry.portals.last(name_key(read_text(message.head)));
  executing_ = portal;
  Front front;
  // The second Execute of a portal fetches more of the same execution.
  if (!portal || portal->statement->is_empty() || std::exchange(portal->executed, true)) {
    return front;
  }
  front.units.push_back(session_.decide("Execute", portal->statement, portal.get()));
  if (!front.units.back().is_acted_on()) advance(front.units.back());
  return front;
}

void ToServer::advance(const Unit& unit) {
  if (unit.kind == StatementKind::kBegin && session_.expected == Transaction::kIdle) {
    session_.expect(Transaction::kOpen);
  }
  if (unit.ends_transaction() || unit.kind == StatementKind::kRollback) {
    session_.expect(Transaction::kIdle);
  }
  if (unit.kind == StatementKind::kRollbackTo && session_.expected == Transaction::kFailed) {
    session_.expect(Transaction::kOpen);
  }
}

std::optional<Act> ToServer::next_hold() {
  for (; front_->next_hold < front_->units.size(); ++front_->next_hold) {
    const Unit& unit = front_->units[front_->next_hold];
    if (unit.hold <= Duration::zero()) continue;
    front_->holding = true;
    front_->until_timeout = session_.is_outlasted_by_timeout(unit);
    return Hold{.for_at_most = front_->until_timeout ? session_.timeout.value() : unit.hold,
                .unit = unit.id,
                .cancellable = !unit.hold_is_loss};
  }
  return std::nullopt;
}

void ToServer::released(Released why) {
  if (!front_ || !std::exchange(front_->holding, false)) return;
  Unit& unit = front_->units[front_->next_hold++];
  std::string_view cancelled_by;
  if (why == Released::kDue && front_->until_timeout) cancelled_by = "statement timeout";
  if (why == Released::kCancelled) cancelled_by = "user request";
  if (why == Released::kRuleEnded && !unit.hold_is_loss) {
    unit.fate = Unit::Fate::kForward;
    unit.error.reset();
  }
  if (why != Released::kDue) session_.host.hold_ended(unit.id, why);
  if (cancelled_by.empty() || !session_.may_fail(unit)) return;
  unit.fate = Unit::Fate::kPoison;
  unit.error = std::make_unique<ErrorText>(
      ErrorText{.code = "57014",
                .message = fmt::format("canceling statement due to {}", cancelled_by),
                .severity = "ERROR"});
}

Unit* ToServer::acted_on() {
  const auto unit = std::ranges::find_if(front_->units, &Unit::is_acted_on);
  return unit == front_->units.end() ? nullptr : &*unit;
}

std::optional<Act> ToServer::end_at_once(Unit& unit) {
  const bool is_first = &unit == &front_->units.front();
  if (!unit.ends_connection() || unit.after_rows > 0 || !is_first || !session_.ledger.empty() ||
      !session_.answers_at_once) {
    return std::nullopt;
  }
  session_.tell_injected(unit);
  return Close{.reset = unit.fate == Unit::Fate::kReset,
               .to_client = unit.error ? error_response(*unit.error) : std::string()};
}

Move ToServer::send_query(const Message& message) {
  Unit* const unit = acted_on();
  if (unit != nullptr) {
    if (auto end = end_at_once(*unit)) {
      ended();
      return {.act = std::move(end)};
    }
  }
  // A COPY FROM begins, and is made to fail in its course.
  const bool changes = unit != nullptr && !(unit->fails_late() && unit->copies_in);
  const std::string with = changes ? poisoned_text(message, *unit) : std::string();
  owe(owed_query());
  return changes ? substitute(message, query_message(with)) : pass(message);
}

Owed ToServer::owed_query(std::vector<Unit> units) {
  Owed owed{.kind = Kind::kQuery, .units = std::move(units)};
  front_.reset();
  if (session_.registry.statements.last("")) {
    owed.drops_unnamed = true;
    session_.registry.statements.ask("", nullptr);
  }
  return owed;
}

Owed ToServer::owed_execute() {
  Owed owed{.kind = Kind::kExecute,
            .named = std::exchange(executing_, nullptr),
            .units = std::move(front_->units)};
  front_.reset();
  return owed;
}

/// The text with the statement replaced that must fail. The whole text of a long one is not there;
/// what stands behind a failure is not run anyway.
std::string ToServer::poisoned_text(const Message& message, const Unit& unit) const {
  const std::string_view text = read_text(message.head);
  const auto index = static_cast<std::size_t>(&unit - front_->units.data());
  const Extent extent = front_->extents[index];
  const bool is_only = front_->extents.size() == 1;
  const bool is_cut = message.rest_bytes > 0;
  if (unit.fails_late()) {
    // It may end in a comment.
    return std::string(text.substr(0, extent.end)) + "\n;" + poison_statement(unit.tag);
  }
  std::string poisoned(is_only ? std::string_view() : text.substr(0, extent.begin));
  if (unit.ends_transaction()) poisoned += "ROLLBACK; ";
  poisoned += poison_statement(unit.tag);
  if (!is_only && !is_cut) poisoned += text.substr(extent.end);
  return poisoned;
}

Move ToServer::send_execute(const Message& message) {
  Unit* const unit = acted_on();
  if (unit != nullptr) {
    if (auto end = end_at_once(*unit)) {
      ended();
      return {.act = std::move(end)};
    }
  }
  const bool poisons = unit != nullptr;
  const bool rolls_back = poisons && unit->ends_transaction();
  const std::uint64_t tag = poisons ? unit->tag : 0;
  const std::uint64_t after_rows = poisons ? unit->after_rows : 0;
  const bool copies_in = poisons && unit->copies_in;
  Owed owed = owed_execute();
  if (after_rows > 0) {
    owe(std::move(owed));
    if (copies_in) return pass(message);
    return substitute(message, execute_then_poison(read_text(message.head), after_rows, tag));
  }
  if (rolls_back) {
    owe({.kind = Kind::kParse, .is_ours = true});
    owe({.kind = Kind::kBind, .is_ours = true});
    owe(std::move(owed));
    owe({.kind = Kind::kCloseStatement, .is_ours = true});
    skips_to_sync_ = true;
    return substitute(message, rollback_execute());
  }
  owe(std::move(owed));
  return poisons ? substitute(message, poison_execute(tag)) : pass(message);
}

Move ToServer::pass(const Message& message) {
  flow_.passing = message.rest_bytes;
  return {.pass = message.wire_bytes};
}

Move ToServer::drop(const Message& message) {
  flow_.dropping = message.rest_bytes;
  return {.act = Substitute{.bytes = message.wire_bytes}};
}

Move ToServer::substitute(const Message& message, std::string with) {
  flow_.dropping = message.rest_bytes;
  return {.act = Substitute{.bytes = message.wire_bytes, .with = std::move(with)}};
}

void ToServer::owe(Owed&& owed) {
  session_.ledger.push(std::move(owed));
  if (session_.ledger.bytes() <= session_.limits.owed_bytes_max) return;
  session_.go_opaque(fmt::format("{} requests wait for an answer, which are too many to remember",
                                 session_.ledger.size()));
}

}  // namespace misrule::codecs::postgres
