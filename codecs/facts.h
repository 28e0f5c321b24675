#pragma once

// What a message tells a rule, and what became of it. A codec never sees a rule; a rule never sees
// a byte of protocol.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace misrule::codecs {

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
  } kind = Kind::kForward;
  Duration hold = {};       ///< Zero: at once.
  bool hold_reply = false;  ///< The hold concerns the reply instead of the request.
  /// The hold is a message lost on the way: no clock of the server and no cancel request ends it,
  /// and when its rule ends, `kind` still happens.
  bool hold_is_loss = false;
  ErrorText error = {};   ///< kPoison, kReplace, kMask.
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
