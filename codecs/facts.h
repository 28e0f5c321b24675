#pragma once

// What a message tells a rule, and what became of it. A codec never sees a rule; a rule never sees
// a byte of protocol.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "codecs/value.h"

namespace misrule::codecs {

/// What a rule may want to know beyond the plain facts.
enum class Detail : std::uint8_t {
  kStatement,       ///< Postgres: its kind, "CREATE TABLE".
  kTable,           ///< Postgres: each table, with and without its schema.
  kSchema,          ///< Postgres: each schema that is named.
  kColumn,          ///< Postgres: each column that is named.
  kPrepared,        ///< Postgres: the name of its prepared statement; nothing if unnamed.
  kParameter,       ///< Postgres: by number from 1, as text; nothing if NULL.
  kHost,            ///< HTTP: the Host field.
  kHeader,          ///< HTTP: each value of the field with that name.
  kQueryParameter,  ///< HTTP: each value of that name in the query string, decoded.
  kBody,            ///< HTTP: the request's body, as far as it is read ahead.
  kReplyStatus,     ///< HTTP: "503"; in the reply's phase.
  kArgument,        ///< Redis: by position after the name, from 1.
  kSelectedDb,      ///< Redis: "0".
  kMessage,         ///< HTTP: a WebSocket message's text, an event's data.
  kDirection,       ///< HTTP: of a WebSocket message, "to_server" or "to_client".
  kText,            ///< The raw text and the normal form: what regular expressions look into.
  kRawPath,         ///< HTTP: the path as it was sent, with capital digits after each '%'.
};

/// Answers what is asked rarely. Lives as long as the Facts it belongs to.
class Details {
 public:
  virtual ~Details() = default;
  /// Does `wants` say yes to one of the values? `key` is the name or the number where there are
  /// several, else empty. False if there is none.
  virtual bool any(Detail what, std::string_view key,
                   const std::function<bool(std::string_view)>& wants) const = 0;
};

/// What kind of unit it is; a rule is about one of them.
enum class Phase : std::uint8_t {
  kRequest,
  kReply,      ///< The reply of a unit, when it begins; asked only if a rule wants kReplyStatus.
  kStartup,    ///< Postgres: a session that begins, after its startup packet.
  kIdle,       ///< Postgres: a session that waits for its next statement.
  kPush,       ///< Redis: what is published; its channel is the subject.
  kWebSocket,  ///< A message; operation and subject are those of its handshake.
  kSse,        ///< A server-sent event; operation and subject are those of its request.
};

/// One executable unit: a statement, a request, a connection. Views live for one call.
struct Facts {
  std::uint64_t unit = 0;           ///< Unique in its conversation, from 1.
  std::string_view protocol = {};   ///< "postgres", "http", "redis", "tcp".
  std::string_view operation = {};  ///< "Query"; an HTTP method; "connection"; "CONFIG SET".
  std::string_view subject = {};    ///< What patterns match: normalised SQL, an HTTP path, a key.
  std::string_view text = {};       ///< The same as it was sent: raw SQL, the whole request target.
  std::string_view state = {};      ///< "idle", "transaction"; Postgres also "failed"; else empty.
  std::string_view user = {};       ///< Postgres: from the startup packet.
  std::string_view database = {};
  std::string_view application_name = {};
  std::span<const std::string_view> keys = {};  ///< Redis: all of them; the first is the subject.
  std::uint64_t arguments = 0;                  ///< Redis: how many follow the command's name.
  Phase phase = Phase::kRequest;
  std::uint64_t transaction = 0;     ///< How manieth of its connection, from 1; 0: none is open.
  const Details* details = nullptr;  ///< Null: nothing more is known.
};

/// The error a client is to be told, in the words of its protocol.
struct ErrorText {
  std::string code = {};  ///< Postgres: five characters of SQLSTATE. Redis: "READONLY".
  std::string message = {};
  std::string severity = {};      ///< Postgres: "ERROR" or "FATAL".
  unsigned status = 0;            ///< HTTP.
  std::string content_type = {};  ///< HTTP; empty: by the body.
  std::string body = {};          ///< HTTP.
};

/// What a rule puts in the place of a reply, or changes in it. Which of it holds depends on the
/// kind of the verb and on the protocol; legality has seen to it that the rest is empty.
struct ReplyPlan {
  std::vector<std::string> columns = {};  ///< Postgres, kRespond.
  std::vector<ValueList> rows = {};       ///< Each as long as `columns`.
  std::string tag = {};                   ///< Postgres, kRespond: "INSERT 0 1"; empty: by the rows.
  Value value = {};                       ///< Redis.
  bool has_value = false;                 ///< kRewrite: null may be meant.
  unsigned status = 0;                    ///< HTTP; 0: as it is (kRewrite), 200 (kRespond).
  std::string body = {};                  ///< HTTP, kRespond.
  ValueMap headers = {};                  ///< HTTP; null removes.
  /// kRewrite: columns (Postgres) or places in the body (HTTP), with what they are to hold.
  ValueMap edits = {};
  bool decode = false;      ///< HTTP, kRewrite: compressed bodies too.
  std::uint64_t bytes = 1;  ///< kCorrupt: so many change. kTruncate: so many pass.
  bool framing = false;     ///< kCorrupt: what frames the payload, instead of the payload.
  bool of_request = false;  ///< kCorrupt, kTruncate: the request instead of its reply.
};

/// What is to become of one unit. First `hold`, then `kind`.
struct Verb {
  enum class Kind : std::uint8_t {
    kForward,
    kPoison,   ///< The server must fail it by itself, the client is told `error`. Postgres, Redis.
    kReplace,  ///< It never reaches the server; the client is told `error`. HTTP.
    kSwallow,  ///< It never reaches the server, and nothing is answered.
    kClose,    ///< The connection ends: gracefully, towards both sides.
    kReset,    ///< The same with a TCP reset.
    kMask,     ///< The server does it; the client is told `error` in place of its reply.
    kLose,     ///< The server does it; the connection ends in place of its reply.
    kRespond,  ///< It never reaches the server; the client is told `plan`, a success.
    kRewrite,  ///< The server does it; the client is told its reply changed as `plan` says.
    kDuplicate,  ///< The server does it twice; the client is told the first reply.
    kCorrupt,    ///< Bytes of it or of its reply are changed.
    kTruncate,   ///< It or its reply ends early, and the connection with it.
  } kind = Kind::kForward;
  Duration hold = {};       ///< Zero: at once.
  bool hold_reply = false;  ///< The hold concerns the reply instead of the request.
  /// The hold is a message lost on the way: no clock of the server and no cancel request ends it,
  /// and when its rule ends, `kind` still happens.
  bool hold_is_loss = false;
  std::uint64_t seed = 0;  ///< kCorrupt: what is changed, and how, follows from this.
  bool resets = false;     ///< kLose: by a TCP reset.
  ErrorText error = {};    ///< kPoison, kReplace, kMask.
  std::uint64_t after_rows =
      0;  ///< kPoison, Postgres: so many rows pass before the error, if not 0.
  /// kRespond and the kinds after it; never null then.
  std::shared_ptr<const ReplyPlan> plan = {};
  std::uint64_t tag = 0;  ///< Opaque: who decided. Comes back in Exchange. 0: nobody.
};

/// Did the server do what the unit asked?
enum class ServerOutcome : std::uint8_t { kDid, kDidNot, kUnknown };

/// One unit with what became of it, told when its reply is complete or will never come.
struct Exchange {
  std::uint64_t unit = 0;
  std::string reply = {};  ///< As people say it: "SELECT 3", "ERROR 40001: ...", "200".
  std::string code = {};   ///< SQLSTATE, HTTP status, a Redis error's first word; empty if none.
  std::int64_t rows = -1;  ///< Postgres: from the command tag; -1 if none.
  bool failed = false;     ///< The client was told that it failed.
  ServerOutcome server = ServerOutcome::kDid;
  std::uint64_t tag = 0;  ///< Of the verb that touched it.
};

}  // namespace misrule::codecs
