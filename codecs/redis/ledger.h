#pragma once

// What the server owes the client, in the order in which it was asked.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "codecs/facts.h"
#include "codecs/lean_queue.h"
#include "codecs/redis/command_table.h"
#include "codecs/redis/reply_shape.h"

namespace misrule::codecs::redis {

/// What a rule wants of a command; of those that no rule touches there is none.
struct Touched {
  enum class Fate : std::uint8_t {
    kForward,
    kPoison,     ///< The server was given something that fails; `error` takes the failure's place.
    kDiscard,    ///< In EXEC's place it was given DISCARD; `error` takes the answer's place.
    kMask,       ///< The server does it; `error` takes the answer's place,
    kLose,       ///< or the connection ends there.
    kClose,      ///< It was given nothing: the connection ends where the answer would be,
    kReset,      ///< or is reset.
    kRespond,    ///< The server was given something harmless; `plan` takes the answer's place.
    kRewrite,    ///< The server does it; `plan` takes the answer's place, or changes it.
    kDuplicate,  ///< The server does it twice; what the second time is answered comes next:
    kSecond,     ///< this, of which nobody hears.
    kCorrupt,    ///< The server does it; bytes of the answer are changed,
    kTruncate,   ///< or the answer ends early, and the connection with it.
  } fate = Fate::kForward;
  std::uint64_t tag = 0;
  Duration hold_reply = {};
  std::string error = {};  ///< "OOM command not allowed ...", without the dash.
  std::shared_ptr<const ReplyPlan> plan = {};
  ReplyShape shape = ReplyShape::kAny;
  std::uint64_t seed = 0;
  bool resets = false;    ///< kLose: by a TCP reset.
  bool in_pairs = false;  ///< The items of a page are pairs.
};

/// Is the server given the command itself?
inline bool reaches_server(Touched::Fate fate) {
  using Fate = Touched::Fate;
  return fate != Fate::kPoison && fate != Fate::kDiscard && fate != Fate::kClose &&
         fate != Fate::kReset && fate != Fate::kRespond;
}

struct Owed {
  CommandKind kind = CommandKind::kPlain;
  bool queued = false;  ///< In a transaction: the answer says so, and EXEC brings the real one.
  bool told = false;    ///< The host knows already; answers may still come.
  /// SUBSCRIBE: one per channel. UNSUBSCRIBE: 0 for all there are. SELECT: which
  /// database, instead. kAddresses: which AddressForm.
  std::uint32_t answers = 1;
  std::uint64_t unit = 0;
  std::uint64_t units = 1;  ///< So many neighbours alike, from `unit` on.
  std::unique_ptr<Touched> touched = {};

  /// The answer to it is any one value, and nothing is to be done about that.
  bool is_ordinary() const { return kind == CommandKind::kPlain && !touched && !told; }
  Touched::Fate fate() const { return touched ? touched->fate : Touched::Fate::kForward; }
  std::uint64_t tag() const { return touched ? touched->tag : 0; }
  /// Without the server's having been asked.
  bool ends_connection() const {
    return fate() == Touched::Fate::kClose || fate() == Touched::Fate::kReset;
  }
  bool is_lost() const { return fate() == Touched::Fate::kLose; }
  /// Does it need its whole answer before anything of that flows?
  bool wants_whole() const;
};

class Ledger {
 public:
  bool empty() const { return owed_.empty(); }
  /// Entries, of which one may stand for many units.
  std::size_t size() const { return owed_.size(); }
  /// Units.
  std::uint64_t units() const { return units_; }
  Owed& front() { return owed_.front(); }
  /// References to entries die.
  void push(Owed&& owed);
  /// One unit of the front, which is one no more.
  Owed take_unit();
  /// So many of the front, which has as many or more.
  void drop_units(std::uint64_t count);
  bool any(bool (*wanted)(const Owed& owed)) const;

 private:
  LeanQueue<Owed> owed_;
  std::uint64_t units_ = 0;
};

}  // namespace misrule::codecs::redis
