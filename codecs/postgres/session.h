#pragma once

// What both directions of one connection share, and how the host is told about units.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "codecs/postgres/fields.h"
#include "codecs/postgres/ledger.h"
#include "codecs/postgres/limits.h"
#include "codecs/postgres/registry.h"
#include "codecs/postgres/startup.h"
#include "codecs/postgres/statement_timeout.h"

namespace misrule::codecs::postgres {

/// The transaction as ReadyForQuery says it.
enum class Transaction : char { kIdle = 'I', kOpen = 'T', kFailed = 'E' };
std::string_view state_text(Transaction state);

struct Session {
  enum class Phase : std::uint8_t {
    kFirstPacket,
    kMessages,
    kRaw,  ///< Bytes flow undecoded: a cancel request, replication, or what cannot be decoded.
  };

  Session(ConversationHost& session_host, const Limits& session_limits)
      : host(session_host), limits(session_limits), registry(session_limits) {}

  ConversationHost& host;
  Limits limits;
  Phase phase = Phase::kFirstPacket;
  Registry registry;
  Ledger ledger;
  StatementTimeout timeout;
  std::string user = {};
  std::string database = {};
  std::string application_name = {};
  Backslash backslash = Backslash::kOrdinary;
  /// The transaction as it will be when everything that was sent is done.
  Transaction expected = Transaction::kIdle;
  bool failed_since_ready = false;  ///< An error came, and the transaction has not ended since.
  /// No message towards the client is under way, nor is one kept from it until ReadyForQuery.
  bool answers_at_once = true;
  bool server_ended = false;
  bool copies_binary = false;  ///< The COPY FROM that is under way.
  std::uint64_t units = 0;
  std::uint64_t transactions = 0;

  bool is_raw() const { return phase == Phase::kRaw; }
  /// Who begins a session.
  void introduce(const FirstPacket& packet);
  void started(const FirstPacket& packet);
  /// Stops decoding; what was decided is told as unknown.
  void go_opaque(std::string_view why);
  /// Asks the host about one execution, of `portal` unless it is a Query. An EXECUTE is matched by
  /// the text that it was prepared with.
  Unit decide(std::string_view operation, const StatementPtr& statement,
              const Named* portal = nullptr);
  /// Asks the host about something else that a session goes through.
  Unit decide_moment(codecs::Phase moment, std::string_view operation);
  /// What was decided cannot be carried out: the unit goes its way.
  void skip(Unit& unit, std::string_view why);
  /// The transaction as it will be.
  void expect(Transaction state);
  /// The most that `unit` may be held: its hold, or less if a statement_timeout is known.
  bool is_outlasted_by_timeout(const Unit& unit) const;
  /// May the server be made to fail it? A server does not refuse to roll back, and in a failed
  /// transaction it refuses everything by itself.
  bool may_fail(const Unit& unit) const;

  void tell(Unit& unit, Exchange exchange);
  void tell_done(Unit& unit, std::string_view tag);
  void tell_failed(Unit& unit, const ErrorFields& error);
  void tell_injected(Unit& unit);
  /// The client was told a success that the server knows nothing of.
  void tell_made_up(Unit& unit);
  void tell_not_run(Unit& unit);
  /// The connection ended, or will not be understood any more, before its reply.
  void tell_unanswered(Unit& unit, std::string_view reply);
  void tell_all_unanswered(std::string_view reply);
};

}  // namespace misrule::codecs::postgres
