#pragma once

// What the server says: the ledger settled, and the failures that we caused worded as rules want
// them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "codecs/postgres/flow.h"
#include "codecs/postgres/message.h"
#include "codecs/postgres/session.h"

namespace misrule::codecs::postgres {

class ToClient {
 public:
  explicit ToClient(Session& session) : session_(session) {}

  Step walk(ByteView unread);
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const { return held_; }

 private:
  Move next(ByteView rest);
  /// Messages that no request waits for; nothing if the message is none of them.
  std::optional<Move> on_unasked(const Message& message);
  Move on_answer(const Message& message, Owed& head);
  Move on_error(const Message& message);
  Move on_failed_query(const Message& message, Owed& head, const ErrorFields& error);
  Move on_failed_segment(const Message& message, const ErrorFields& error);
  Move on_tag(const Message& message, Owed& head);
  Move on_query_tag(const Message& message, Owed& head);
  Move on_execute_end(const Message& message, Owed& head);
  Move on_ready(const Message& message, Owed& head);
  Move on_named(const Message& message, Owed& head);

  std::optional<Act> hold_reply(Owed& head);
  void note_setting(std::string_view name, std::string_view value);
  void done(Unit& unit, std::string_view tag);
  void refuse(const Owed& owed, bool keeps_old);
  void settle_transaction(char status);
  /// The failure that we caused, as the rule words it.
  Move inject(const Message& message, Unit& unit);

  Move mask(const Message& message, const Unit& unit);
  Move pass(const Message& message);
  Move swallow(const Message& message);
  Move desynchronised(const Message& message, std::string_view why);

  Session& session_;
  Flow flow_;
  std::size_t unread_ = 0;  ///< From the front of the message that is looked at.
  std::optional<std::uint64_t> held_;
  bool losing_ = false;  ///< What comes until ReadyForQuery does not reach the client.
  bool ends_when_ready_ = false;
};

}  // namespace misrule::codecs::postgres
