// Replies that are made up, changed, cut off or swallowed, because a rule wants it.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codecs/postgres/made_up.h"
#include "codecs/postgres/replies.h"
#include "codecs/postgres/to_client.h"

namespace misrule::codecs::postgres {

using Kind = Owed::Kind;

std::optional<Act> ToClient::made_up() {
  if (flow_.passing > 0 || flow_.dropping > 0 || session_.is_raw()) return std::nullopt;
  if (const Owed* const head = session_.ledger.head(); head == nullptr || !head->is_made_up) {
    return std::nullopt;
  }
  std::string with;
  for (Owed* head = session_.ledger.head(); head != nullptr && head->is_made_up;
       head = session_.ledger.head()) {
    Owed owed = std::move(*head);
    session_.ledger.pop();
    Unit& unit = owed.units.front();
    refuse(owed, true);
    if (losing_) {
      // The client was told of a failure before it, or is to be told no more at all.
      session_.tell_not_run(unit);
      continue;
    }
    auto reply = made_up_reply(owed);
    if (!reply) {
      // The server was not asked, so there is no honest way on.
      session_.host.skipped(unit.id, reply.error().what);
      session_.tell_unanswered(unit, "connection closed");
      return Close{.to_client = with + error_response({.code = "0A000",
                                                       .message = reply.error().what,
                                                       .severity = "FATAL"})};
    }
    session_.tell_made_up(unit);
    with += *reply;
  }
  if (with.empty()) return std::nullopt;
  return Substitute{.with = std::move(with)};
}

void ToClient::begin_losing(const Unit& unit) {
  if (!losing_) still_passes_ = unit.fate == Unit::Fate::kTruncate ? unit.plan->bytes : 0;
  losing_ = true;
  if (unit.fate == Unit::Fate::kMask) return;
  ends_when_ready_ = true;
  resets_ = unit.resets;
}

Close ToClient::end_of_loss() const { return {.reset = resets_}; }

bool ToClient::is_beyond(const Message& message, Unit& unit) const {
  switch (message.type) {
    case 'D':
    case 'd':
      return unit.rows_passed++ >= unit.after_rows;
    // The statement is done too early: the failure is still to come.
    case 'C':
    case 's':
    case 'c':
      return true;
    default:
      return false;
  }
}

Move ToClient::on_repeated(const Message& message, Owed& head) {
  if (message.type == 'Z') return on_ready(message, head);
  if (message.type == 'E') session_.failed_since_ready = true;
  if (message.type == 'E' && read_error(message.head).is_fatal()) return pass(message);
  return swallow(message);
}

Move ToClient::on_changed(const Message& message, ByteView rest, Owed& head) {
  constexpr std::size_t kChangedBytesMax = kMiB;
  Unit& unit = *head.unit();
  const bool is_row = message.type == 'D';
  const bool is_tag = message.type == 'C';
  if (message.type == 'T' && head.kind == Kind::kQuery && message.rest_bytes == 0) {
    columns_ = read_columns(message.head).value_or(Columns());
    edited_ = 0;
  }
  const bool corrupts = unit.fate == Unit::Fate::kCorrupt;
  const bool concerns = is_row || (corrupts && is_tag);
  if (is_tag && !corrupts && !unit.is_changed) session_.skip(unit, "no row was told");
  if (!concerns || (corrupts && unit.is_changed)) return on_answer(message, head);
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  if (bytes <= kChangedBytesMax && rest.size() < bytes) return {.need = bytes};
  auto with = bytes > kChangedBytesMax
                  ? Result<std::string>(fail(Code::kInvalid, "a row is too long to be changed"))
                  : changed(message, rest.substr(0, bytes), head);
  if (!with && !unit.is_changed) session_.skip(unit, with.error().what);
  if (with) unit.is_changed = true;
  Move move = on_answer(message, head);
  if (!with || move.act) return move;
  flow_.passing = 0;
  return {.act = Substitute{.bytes = bytes, .with = *std::move(with)}};
}

Result<std::string> ToClient::changed(const Message& message, ByteView whole, Owed& head) {
  const Unit& unit = *head.unit();
  if (unit.fate == Unit::Fate::kRewrite) return rewritten(whole, head);
  if (unit.plan->framing) {
    ByteReader reader(whole.substr(1));
    std::string with(whole);
    std::string length;
    append_u32(length, reader.read_u32() + 1 + static_cast<std::uint32_t>(unit.seed % 3));
    return with.replace(1, length.size(), length);
  }
  auto with = corrupted(whole, {.bytes = unit.plan->bytes, .seed = unit.seed});
  if (with) return *std::move(with);
  return fail(Code::kInvalid,
              fmt::format("message '{}' has nothing that could be corrupted", message.type));
}

Result<std::string> ToClient::rewritten(ByteView whole, Owed& head) {
  const Unit& unit = *head.unit();
  if (edited_ != unit.id) {
    Columns columns = columns_;
    if (head.kind == Kind::kExecute) {
      if (!head.named) return fail(Code::kInvalid, "its columns are not known");
      MISRULE_TRY(columns, columns_of(*head.named));
    }
    MISRULE_TRY(edits_, row_edits(unit.plan->edits, columns));
    edited_ = unit.id;
  }
  auto with = edited_row(whole, edits_);
  if (with) return *std::move(with);
  return fail(Code::kInvalid, "a row is malformed");
}

Move ToClient::on_description(const Message& message, Owed& head) {
  if (head.named)
    note_description(message, head.named->prepared ? *head.named->prepared : *head.named);
  const bool is_ours = head.is_ours;
  if (head.kind != Kind::kQuery && message.type != 't') session_.ledger.pop();
  return is_ours ? swallow(message) : pass(message);
}

void ToClient::note_description(const Message& message, Named& prepared) {
  if (message.type == 't') {
    prepared.parameters = message.head.substr(std::min<std::size_t>(2, message.head.size()));
    return;
  }
  prepared.is_described = true;
  prepared.columns.clear();
  if (message.type != 'T') return;
  // Without room, as when it is cut off: "there are columns, and nobody knows which".
  const bool is_kept =
      message.rest_bytes == 0 && session_.registry.has_room_for(prepared, message.head.size());
  prepared.columns = is_kept ? message.head : message.head.substr(0, 1);
}

Move ToClient::pass_what_still_may(const Message& message) {
  const std::size_t bytes = message.wire_bytes + message.rest_bytes;
  const std::size_t passing = std::min(still_passes_, bytes);
  if (passing == 0) return swallow(message);
  still_passes_ -= passing;
  const std::size_t now = std::min(passing, message.wire_bytes);
  flow_.passing = passing - now;
  flow_.dropping = bytes - passing;
  return {.pass = now};
}

}  // namespace misrule::codecs::postgres
