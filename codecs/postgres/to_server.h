#pragma once

// What the client says: names kept, statements decided, faults put in the place of requests.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/conversation.h"
#include "codecs/postgres/flow.h"
#include "codecs/postgres/message.h"
#include "codecs/postgres/session.h"
#include "codecs/postgres/sql.h"

namespace misrule::codecs::postgres {

class ToServer {
 public:
  explicit ToServer(Session& session) : session_(session) {}

  Step walk(ByteView unread);
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const;
  /// No more will come, or go: what was decided and not sent will not be.
  void ended();

 private:
  /// A Query or Execute whose units are decided and which has not flowed yet.
  struct Front {
    std::vector<Unit> units = {};
    std::vector<Extent> extents = {};  ///< Query: where each unit stands in the text.
    std::size_t next_hold = 0;         ///< The units before it are not held any more.
    bool holding = false;
    bool until_timeout = false;  ///< The hold ends by the session's statement_timeout.
  };

  /// Tells what was decided and has not flowed.
  void give_up(std::string_view reply, ServerOutcome server);
  Move next(ByteView rest);
  Move on_first_packet(ByteView rest);
  Move on_startup(const FirstPacket& packet);
  Move on_message(const Message& message, ByteView rest);
  Move on_outside_copy(const Message& message, ByteView rest);
  bool may_pass_untold(const Message& message);
  Move on_query(const Message& message, ByteView rest);
  Move on_execute(const Message& message, ByteView rest);
  void on_parse(const Message& message);
  Move on_whole_bind(const Message& message, ByteView rest);
  void on_bind(const Message& message);
  void on_close(const Message& message);
  void on_describe(const Message& message);

  Front decide_query(std::string_view text);
  Front decide_execute(const Message& message);
  void advance(const Unit& unit);
  std::optional<Act> next_hold();
  Unit* acted_on();
  Unit* unit_of(Unit::Fate fate);
  /// Ends the connection here and now if nothing that is owed would be lost by it.
  std::optional<Act> end_at_once(Unit& unit);
  /// What is sent in place of a Query or Execute that is whole and has one changed unit.
  std::optional<Move> send_changed(const Message& message, ByteView rest);
  std::optional<Move> send_damaged(const Message& message, ByteView rest);
  Move send_query(const Message& message);
  Move send_execute(const Message& message);
  std::string poisoned_text(const Message& message, const Unit& unit) const;
  void skip_what_cannot_be(const Message& message);
  std::string_view why_not(const Message& message, const Unit& unit) const;
  Move describe_query(const Message& message);
  /// It is told now, or when what is owed before it has been.
  std::optional<Move> answer_execute(const Message& message);
  Move repeat_query(const Message& message);
  Move repeat_execute(const Message& message);
  Owed owed_query() { return owed_query(std::move(front_->units)); }
  Owed owed_query(std::vector<Unit> units);
  Owed owed_execute();

  Move pass_unread(const Message& message);
  /// A COPY FROM that must fail once enough rows have passed.
  Unit* failing_copy();
  Move on_failing_copy(const Message& message, ByteView rest, Unit& unit);

  Move pass(const Message& message);
  Move drop(const Message& message);
  Move substitute(const Message& message, std::string with);
  void owe(Owed&& owed);

  Session& session_;
  Flow flow_;
  std::optional<Front> front_;
  /// A COMMIT was turned into a ROLLBACK: the client believes that the server skips.
  bool skips_to_sync_ = false;
  bool drops_copy_ = false;  ///< A COPY FROM was made to fail: the rest of its rows goes nowhere.
  NamedPtr executing_ = {};  ///< The portal of the Execute in front.
};

}  // namespace misrule::codecs::postgres
