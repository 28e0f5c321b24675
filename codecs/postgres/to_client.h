#pragma once

// What the server says: the ledger settled, and the failures that we caused worded as rules want
// them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codecs/conversation.h"
#include "codecs/postgres/flow.h"
#include "codecs/postgres/message.h"
#include "codecs/postgres/rows.h"
#include "codecs/postgres/session.h"

namespace misrule::codecs::postgres {

class ToClient {
 public:
  explicit ToClient(Session& session) : session_(session) {}

  Step walk(ByteView unread);
  void released(Released why);
  /// The server's stream has ended.
  std::optional<Act> ended();
  std::optional<std::uint64_t> held_unit() const { return held_; }

 private:
  Move next(ByteView rest);
  /// Messages that no request waits for; nothing if the message is none of them.
  std::optional<Move> on_unasked(const Message& message);
  /// What was not asked of the server and is due now.
  std::optional<Act> made_up();
  Move on_owed(const Message& message, ByteView rest, Owed& head);
  /// The rows of a unit that fails late, one too many.
  bool is_beyond(const Message& message, Unit& unit) const;
  Move on_changed(const Message& message, ByteView rest, Owed& head);
  Result<std::string> changed(const Message& message, ByteView whole, Owed& head);
  Result<std::string> rewritten(ByteView whole, Owed& head);
  Move on_answer(const Message& message, Owed& head);
  Move on_repeated(const Message& message, Owed& head);
  Move on_description(const Message& message, Owed& head);
  void note_description(const Message& message, Named& prepared);
  Move on_error(const Message& message, ByteView rest);
  Move on_failure(const Message& message, const ErrorFields& error);
  bool awaits_ready(const Message& message, ByteView rest);
  Move with_ready(Move move, const Message& message, ByteView rest);
  Move on_failed_query(const Message& message, Owed& head, const ErrorFields& error);
  Move on_failed_segment(const Message& message, const ErrorFields& error);
  Move on_tag(const Message& message, Owed& head);
  Move on_query_tag(const Message& message, Owed& head);
  Move on_execute_end(const Message& message, Owed& head);
  Move on_ready(const Message& message, Owed& head);
  std::optional<Act> on_idle();
  Move on_named(const Message& message, Owed& head);

  std::optional<Act> hold_reply(Owed& head);
  void begin_losing(const Unit& unit);
  Close end_of_loss() const;
  void note_setting(std::string_view name, std::string_view value);
  void done(Unit& unit, std::string_view tag);
  void refuse(const Owed& owed, bool keeps_old);
  void settle_transaction(char status);
  /// The failure that we caused, as the rule words it.
  Move inject(const Message& message, Unit& unit);

  Move mask(const Message& message, const Unit& unit);
  Move pass(const Message& message);
  /// Of a reply that is cut off.
  Move pass_what_still_may(const Message& message);
  Move swallow(const Message& message);
  Move desynchronised(const Message& message, std::string_view why);

  Session& session_;
  Flow flow_;
  std::size_t unread_ = 0;  ///< From the front of the message that is looked at.
  std::optional<std::uint64_t> held_;
  bool masked_ = false;           ///< The client was told an error, and the server goes on.
  bool losing_ = false;           ///< What comes until ReadyForQuery does not reach the client.
  std::size_t still_passes_ = 0;  ///< But for so many bytes of it.
  bool ends_when_ready_ = false;
  bool resets_ = false;  ///< The end is a reset.
  bool awaiting_ready_ = false;
  Columns columns_ = {};      ///< Of the Query whose rows are rewritten.
  std::uint64_t edited_ = 0;  ///< The unit that `edits_` are for.
  RowEdits edits_ = {};
};

}  // namespace misrule::codecs::postgres
