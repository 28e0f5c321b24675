#pragma once

// What the server owes the client, in the order in which it will come.
//
// One entry per client message that has an answer. The server answers in order, so a message from
// it belongs to the first entry, but for notices, notifications and settings, which belong to
// nobody.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codecs/facts.h"
#include "codecs/postgres/registry.h"

namespace misrule::codecs::postgres {

/// A statement that was decided, until the host is told what became of it.
struct Unit {
  enum class Fate : std::uint8_t {
    kForward,
    kPoison,  ///< The server was given something that fails; `error` takes the failure's place.
    kClose,   ///< The same, and the connection ends in the failure's place, after `error` if any.
    kReset,
    kMask,  ///< The server does it; `error` takes the place of its success.
    kLose,  ///< The server does it; the connection ends once it has answered.
  };
  std::uint64_t id = 0;
  std::uint64_t tag = 0;
  Fate fate = Fate::kForward;
  StatementKind kind = StatementKind::kOther;
  bool told = false;
  bool hold_is_loss = false;
  Duration hold = {};
  Duration reply_hold = {};
  std::unique_ptr<ErrorText> error = {};
  StatementPtr statement = {};  ///< Only of kinds that change the session when they succeed.

  /// Something else than the statement is sent to the server.
  bool is_acted_on() const { return fate != Fate::kForward && !loses_reply(); }
  /// The server does it, and its answer does not reach the client.
  bool loses_reply() const { return fate == Fate::kMask || fate == Fate::kLose; }
  bool ends_connection() const { return fate == Fate::kClose || fate == Fate::kReset; }
  bool ends_transaction() const {
    return kind == StatementKind::kCommit || kind == StatementKind::kPrepareTransaction;
  }
};

struct Owed {
  enum class Kind : std::uint8_t {
    kStartup,
    kQuery,
    kParse,
    kBind,
    kDescribeStatement,
    kDescribePortal,
    kExecute,
    kCloseStatement,
    kClosePortal,
    kFunctionCall,
    kSync,
    kCopyEnd,  ///< CopyDone or CopyFail: has no answer, and marks where COPY's own messages end.
  } kind = Kind::kSync;
  bool is_ours = false;        ///< We asked: the answer does not reach the client.
  bool drops_unnamed = false;  ///< A Query that takes the unnamed statement's place.
  std::string name = {};       ///< Of the statement or portal that is made or closed.
  std::vector<Unit> units = {};
  std::size_t at = 0;  ///< The unit whose reply comes next.

  /// The unit that the next message belongs to, if it belongs to one.
  Unit* unit() { return at < units.size() ? &units[at] : nullptr; }
};

class Ledger {
 public:
  void push(Owed owed);
  /// The entry that the server's next message answers; null if it owes nothing.
  Owed* head();
  void pop() { owed_.pop_front(); }
  bool empty() { return head() == nullptr; }
  std::size_t size() const { return owed_.size(); }

  /// Will a ReadyForQuery come for something that was sent?
  bool is_ready_due() const;

  /// An error in the extended protocol: the server ignores everything up to the next Sync. What was
  /// sent of that is returned, the failed one first; what is still to come is skipping()'s.
  std::vector<Owed> skip_to_sync();
  /// The server will ignore what the client sends now, until a Sync.
  bool skipping() const { return skipping_; }

  /// CopyInResponse for the first entry: the Syncs that the server reads as part of the COPY owe
  /// nothing.
  void copy_in_began();
  /// The client ended its COPY, or the server failed it.
  void copy_in_ended() { copying_ = false; }
  void copy_end_sent();
  /// The client is sending COPY data: Sync and Flush are ignored in between.
  bool copying() const { return copying_; }

  /// Everything still owed, oldest first, which is owed no more.
  std::deque<Owed> take_all();

 private:
  std::deque<Owed> owed_;
  bool skipping_ = false;
  bool copying_ = false;
};

}  // namespace misrule::codecs::postgres
