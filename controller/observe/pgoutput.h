#pragma once

// What does a message of PostgreSQL's logical replication say? Bytes in, one message out; pure.
//
// Protocol version 1 of the plugin pgoutput (servers 10 and later): transactions come whole, after
// their commit. Not done: two-phase commits, and transactions that are streamed before they end.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace misrule::controller::pgoutput {

using Lsn = std::uint64_t;

/// Of one row; PostgreSQL itself allows 1600.
inline constexpr std::size_t kColumnsMax = 1664;

struct Begin {
  Lsn commit_lsn = 0;               ///< Where its commit stands.
  std::int64_t commit_time_us = 0;  ///< Since 2000-01-01 UTC.
  std::uint32_t xid = 0;
};

struct Commit {
  Lsn commit_lsn = 0;
  Lsn end_lsn = 0;  ///< Behind it: from here on, nothing of it comes again.
  std::int64_t commit_time_us = 0;
};

struct Column {
  std::string name = {};
  std::uint32_t type_oid = 0;
  bool is_key = false;  ///< Part of the replica identity.
};

struct Relation {
  std::uint32_t id = 0;
  std::string schema = {};
  std::string table = {};
  char identity = 'd';  ///< pg_class.relreplident.
  std::vector<Column> columns = {};
};

struct Cell {
  enum class Kind : std::uint8_t {
    kNull,
    kUnchanged,  ///< A long value that was not written again, and is not sent.
    kText,
  };
  Kind kind = Kind::kNull;
  std::string_view text = {};  ///< Within the message's bytes.
};
using Row = std::vector<Cell>;

/// INSERT has a new row, DELETE an old one, UPDATE a new and perhaps an old one.
struct Change {
  char kind = 'I';  ///< 'I', 'U', 'D'
  std::uint32_t relation = 0;
  std::optional<Row> old_row = {};
  bool old_is_key = false;  ///< Of the old row only the identity's columns are known.
  std::optional<Row> new_row = {};
};

struct Truncate {
  std::vector<std::uint32_t> relations = {};
  bool cascade = false;
  bool restart_identity = false;
};

/// Types, origins and messages of applications: nothing that a row says.
struct Other {
  char kind = 0;
};

using Message = std::variant<Begin, Commit, Relation, Change, Truncate, Other>;

/// kInvalid for what the server does not send: `bytes` is one message, whole.
Result<Message> decode(std::string_view bytes);

/// What stands around it in a stream of replication.
struct WalPiece {
  Lsn start = 0;
  Lsn end = 0;
  std::string_view message = {};
};
struct Keepalive {
  Lsn end = 0;  ///< Everything before it was sent.
  bool wants_reply = false;
};
using Frame = std::variant<WalPiece, Keepalive>;
Result<Frame> decode_frame(std::string_view bytes);

/// "I have received all before `received`"; `flushed` 0 lets the server keep everything.
std::string standby_status(Lsn received, Lsn flushed, bool wants_reply);

/// "16/B374D848"
std::string lsn_text(Lsn lsn);
std::optional<Lsn> lsn_from_text(std::string_view text);

}  // namespace misrule::controller::pgoutput
