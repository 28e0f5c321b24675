#pragma once

// What both directions of one connection share, and how the host is told about units.

#include <cstdint>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "codecs/redis/ledger.h"
#include "codecs/redis/limits.h"

namespace misrule::codecs::redis {

struct Session {
  Session(ConversationHost& session_host, const Limits& session_limits)
      : host(session_host), limits(session_limits) {}

  ConversationHost& host;
  Limits limits;
  /// What the server owes, in the order in which it was asked.
  Ledger ledger;
  /// Commands that the server has queued in a transaction, or is answering within EXEC's answer.
  Ledger queue;
  std::uint64_t units = 0;
  /// How many transactions there were; of these which one is open, if one is.
  std::uint64_t transactions = 0;
  /// Which database will be selected when everything that was sent is done, and which one is.
  std::uint32_t expects_db = 0;
  std::uint32_t db = 0;
  /// Will the server be in a transaction when everything that was sent is done?
  bool expects_transaction = false;
  /// Is it, where the answers stand?
  bool in_transaction = false;
  bool requests_raw = false;      ///< Requests flow undecoded.
  bool replies_raw = false;       ///< Replies do.
  bool closed = false;            ///< The connection was ended by an act of ours.
  bool replies_at_border = true;  ///< No value towards the client is under way.

  void tell_answered(const Owed& owed, std::string reply, bool is_error);
  /// The client was told the error of a rule, or the connection was ended in the answer's place.
  void tell_injected(const Owed& owed, ServerOutcome server = ServerOutcome::kDidNot);
  /// The client was told what a rule made up, or made of the answer.
  void tell_made_up(const Owed& owed, std::string reply, ServerOutcome server);
  /// The connection was ended within its answer.
  void tell_cut_off(const Owed& owed);
  /// A rule cannot be carried out: the command goes its way.
  void skip(Owed& owed, std::string_view why);
  /// Nothing is under way: what is so is what is to be expected.
  void note_quiet();
  /// The client wanted no answer.
  void tell_silent(const Owed& owed);
  /// A transaction's commands will not be carried out.
  void tell_queue_undone(bool is_failure);
  /// They were, but the client is not told.
  void tell_queue_untold();
  /// The connection ended, or will not be understood any more, before its answer.
  void tell_unanswered(const Owed& owed, std::string_view reply);
  void tell_all_unanswered(std::string_view reply);

  /// Is the client promised something that no server will send by itself?
  bool owes_injection() const;
  void requests_opaque(std::string_view why);
  void all_opaque(std::string_view why);

 private:
  void tell(const Owed& owed, Exchange exchange);

  bool opaque_told_ = false;
};

}  // namespace misrule::codecs::redis
