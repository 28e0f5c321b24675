#pragma once

// What the server owes the client, in the order in which it will come.
//
// One entry per client message that has an answer. The server answers in order, so a message from
// it belongs to the first entry, but for notices, notifications and settings, which belong to
// nobody.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codecs/facts.h"
#include "codecs/lean_queue.h"
#include "codecs/postgres/registry.h"

namespace misrule::codecs::postgres {

/// A statement that was decided, until the host is told what became of it.
struct Unit {
  enum class Fate : std::uint8_t {
    kForward,
    kPoison,  ///< The server was given something that fails; `error` takes the failure's place.
    kClose,   ///< The same, and the connection ends in the failure's place, after `error` if any.
    kReset,
    kMask,     ///< The server does it; `error` takes the place of its success.
    kLose,     ///< The server does it; the connection ends once it has answered.
    kRespond,  ///< The server is not asked; the client is told what `plan` makes up.
    kRewrite,  ///< The server does it; `plan` changes its rows.
    kDuplicate,
    kCorrupt,   ///< The same, by chance.
    kTruncate,  ///< As kLose, once so many bytes of the answer have passed.
  };
  std::uint64_t id = 0;
  std::uint64_t tag = 0;
  Fate fate = Fate::kForward;
  StatementKind kind = StatementKind::kOther;
  bool told = false;
  bool hold_is_loss = false;
  Duration hold = {};
  Duration reply_hold = {};
  bool resets = false;            ///< kLose.
  std::uint64_t seed = 0;         ///< kCorrupt.
  std::uint64_t after_rows = 0;   ///< kPoison, kClose: so many rows pass before the failure.
  bool copies_in = false;         ///< COPY FROM STDIN.
  std::uint64_t rows_passed = 0;  ///< Of those; COPY FROM: of what the client sent.
  bool is_changed = false;        ///< kRewrite, kCorrupt: some of the reply was changed.
  std::unique_ptr<ErrorText> error = {};
  std::shared_ptr<const ReplyPlan> plan = {};
  std::string made_up_tag = {};  ///< kRespond.
  StatementPtr statement = {};   ///< Only of kinds that change the session when they succeed.

  /// Something else than the statement is sent to the server.
  bool is_acted_on() const { return fate == Fate::kPoison || ends_connection(); }
  /// The server does it, and its answer does not reach the client, or not whole.
  bool loses_reply() const {
    return fate == Fate::kMask || fate == Fate::kLose || fate == Fate::kTruncate;
  }
  bool changes_reply() const { return fate == Fate::kRewrite || fate == Fate::kCorrupt; }
  /// The server does what was asked, until it must fail.
  bool fails_late() const { return is_acted_on() && after_rows > 0; }
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
  bool is_made_up = false;     ///< The server was not asked: its unit says what the client is told.
  bool is_repeated = false;    ///< A Query that follows once more, whose ReadyForQuery is told.
  bool drops_unnamed = false;  ///< A Query that takes the unnamed statement's place.
  std::string name = {};       ///< Of the statement or portal that is made or closed.
  NamedPtr named = {};         ///< What is described or executed, if that is known.
  std::vector<Unit> units = {};
  std::size_t at = 0;       ///< The unit whose reply comes next.
  std::size_t counted = 0;  ///< The ledger's: bytes when it was pushed.

  /// The unit that the next message belongs to, if it belongs to one.
  Unit* unit() { return at < units.size() ? &units[at] : nullptr; }
};

class Ledger {
 public:
  void push(Owed&& owed);
  /// The entry that the server's next message answers; null if it owes nothing.
  Owed* head() {
    while (!owed_.empty() && owed_.front().kind == Owed::Kind::kCopyEnd) pop();
    return owed_.empty() ? nullptr : &owed_.front();
  }
  /// What was asked last; null if nothing is owed.
  Owed* last() { return owed_.empty() ? nullptr : &owed_.back(); }
  void pop() {
    bytes_ -= owed_.front().counted;
    owed_.pop();
  }
  bool empty() { return head() == nullptr; }
  std::size_t size() const { return owed_.size(); }
  /// Memory that is held for it, roughly.
  std::size_t bytes() const { return bytes_; }

  /// Will the server say which columns this statement, or portal, has?
  bool is_description_due(const NamedPtr& named) const;
  /// Is something on its way that ends the transaction which the server is in?
  bool is_transaction_end_due() const;
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
  std::vector<Owed> take_all();

 private:
  LeanQueue<Owed> owed_;
  std::size_t bytes_ = 0;
  bool skipping_ = false;
  bool copying_ = false;
};

}  // namespace misrule::codecs::postgres
