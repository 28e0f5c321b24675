// What takes the place of a request that is answered here, sent twice, damaged or cut off.

#include <algorithm>
#include <utility>

#include "codecs/postgres/made_up.h"
#include "codecs/postgres/replies.h"
#include "codecs/postgres/to_server.h"

namespace misrule::codecs::postgres {

using Fate = Unit::Fate;
using Kind = Owed::Kind;

namespace {

constexpr std::size_t kChangedBytesMax = kMiB;
/// Of a message: less than it takes to say itself.
constexpr std::string_view kImpossibleLength("\0\0\0\2", 4);

bool is_damaged(const Unit& unit) {
  const bool damages = unit.fate == Fate::kCorrupt || unit.fate == Fate::kTruncate;
  return damages && unit.plan->of_request;
}

}  // namespace

/// The server does not look at it. While it was held here, something before it may have failed.
Move ToServer::pass_unread(const Message& message) {
  if (front_) {
    for (Unit& unit : front_->units) session_.tell_not_run(unit);
    front_.reset();
  }
  return pass(message);
}

Unit* ToServer::unit_of(Fate fate) {
  const auto unit = std::ranges::find(front_->units, fate, &Unit::fate);
  return unit == front_->units.end() ? nullptr : &*unit;
}

void ToServer::skip_what_cannot_be(const Message& message) {
  for (Unit& unit : front_->units) {
    const std::string_view why = why_not(message, unit);
    if (!why.empty()) session_.skip(unit, why);
  }
}

std::string_view ToServer::why_not(const Message& message, const Unit& unit) const {
  const bool is_query = message.type == 'Q';
  const bool is_one_of_many = is_query && front_->extents.size() > 1;
  const bool is_cut = is_query && message.rest_bytes > 0;
  if (unit.fate == Fate::kRespond || unit.fate == Fate::kDuplicate) {
    if (is_one_of_many) return "it is one of several statements of a string";
    if (is_cut) return "the statement is longer than is read of it";
  }
  if (unit.fate == Fate::kDuplicate) {
    const bool is_known = is_query || (executing_ && executing_->prepared);
    if (!is_known || (!is_query && executing_->bound.empty())) {
      return "the values that were bound are too long to be repeated";
    }
  }
  if (unit.fails_late() && !unit.copies_in) {
    if (is_cut) return "the statement is too long to be changed";
    const std::uint32_t rows_max = is_query ? 0 : read_rows_max(message.head);
    if (rows_max > 0 && rows_max <= unit.after_rows) return "the client asks for fewer rows";
  }
  const bool corrupts_request = unit.fate == Fate::kCorrupt && unit.plan->of_request;
  if (corrupts_request && !is_query && !unit.plan->framing) {
    return "an Execute has no payload: its values were bound before";
  }
  return {};
}

std::optional<Move> ToServer::send_changed(const Message& message, ByteView rest) {
  if (std::ranges::any_of(front_->units, is_damaged)) return send_damaged(message, rest);
  if (unit_of(Fate::kRespond) != nullptr) {
    return message.type == 'Q' ? describe_query(message) : answer_execute(message);
  }
  if (unit_of(Fate::kDuplicate) == nullptr) return std::nullopt;
  return message.type == 'Q' ? repeat_query(message) : repeat_execute(message);
}

/// The server is asked for the statement's columns alone, so they and the state are true.
Move ToServer::describe_query(const Message& message) {
  const auto statement = std::make_shared<Named>();
  owe({.kind = Kind::kParse, .is_ours = true});
  owe({.kind = Kind::kDescribeStatement, .is_ours = true, .named = statement});
  owe({.kind = Kind::kCloseStatement, .is_ours = true});
  Owed query = owed_query();
  query.is_made_up = true;
  query.named = std::make_shared<Named>(Named{.prepared = statement});
  owe(std::move(query));
  owe({.kind = Kind::kSync});
  return substitute(message, describe_statement(read_text(message.head)));
}

std::optional<Move> ToServer::answer_execute(const Message& message) {
  Owed owed{.kind = Kind::kExecute, .is_made_up = true, .named = executing_};
  owed.units.push_back(std::move(front_->units.front()));
  const NamedPtr prepared = executing_ ? executing_->prepared : nullptr;
  const bool is_described_later = prepared && !prepared->is_described &&
                                  !executing_->bound.empty() &&
                                  (session_.ledger.is_description_due(executing_) ||
                                   session_.ledger.is_description_due(prepared));
  auto reply = made_up_reply(owed);
  if (!reply && !is_described_later) {
    front_->units.front() = std::move(owed.units.front());
    session_.skip(front_->units.front(), reply.error().what);
    return std::nullopt;
  }
  front_.reset();
  executing_.reset();
  if (reply && session_.ledger.empty() && session_.answers_at_once) {
    session_.tell_made_up(owed.units.front());
    flow_.dropping = message.rest_bytes;
    return Move{.act = Answer{.bytes = message.wire_bytes, .with = *std::move(reply)}};
  }
  owe(std::move(owed));
  return drop(message);
}

Move ToServer::repeat_query(const Message& message) {
  const std::string once = query_message(read_text(message.head));
  Owed first = owed_query();
  first.is_repeated = true;
  owe(std::move(first));
  owe({.kind = Kind::kQuery, .is_ours = true});
  return substitute(message, once + once);
}

Move ToServer::repeat_execute(const Message& message) {
  Owed first = owed_execute();
  const Named& portal = *first.named;
  std::string with;
  append_message(with, 'E', message.head);
  with += execute_again(portal.prepared->name, portal.bound);
  owe(std::move(first));
  owe({.kind = Kind::kBind, .is_ours = true});
  owe({.kind = Kind::kExecute, .is_ours = true});
  owe({.kind = Kind::kClosePortal, .is_ours = true});
  return substitute(message, std::move(with));
}

std::optional<Move> ToServer::send_damaged(const Message& message, ByteView rest) {
  Unit& unit = *std::ranges::find_if(front_->units, is_damaged);
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  if (unit.fate == Fate::kTruncate) {
    const std::size_t most = std::min<std::size_t>(bytes, unit.plan->bytes);
    if (rest.size() < most) return Move{.need = most};
    give_up("cut off", most == bytes ? ServerOutcome::kUnknown : ServerOutcome::kDidNot);
    return Move{.pass = most, .act = Close{}};
  }
  if (bytes > kChangedBytesMax) {
    session_.skip(unit, "the statement is too long to be corrupted");
    return std::nullopt;
  }
  if (rest.size() < bytes) return Move{.need = bytes};
  std::string with(rest.substr(0, bytes));
  if (unit.plan->framing) {
    with.replace(1, kImpossibleLength.size(), kImpossibleLength);
  } else {
    with = corrupted(with, {.bytes = unit.plan->bytes, .seed = unit.seed}).value_or(with);
  }
  owe(message.type == 'Q' ? owed_query() : owed_execute());
  return Move{.act = Substitute{.bytes = bytes, .with = std::move(with)}};
}

}  // namespace misrule::codecs::postgres
