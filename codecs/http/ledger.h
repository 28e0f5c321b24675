#pragma once

// What the client of one connection is owed, in the order in which it asked.

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace misrule::codecs::http {

/// One request that was decided and not yet answered.
struct Owed {
  enum class Fate : std::uint8_t {
    kUndecided,  ///< Held: nothing of it has flowed.
    kForwarded,  ///< The server's reply is the answer.
    kAnswer,     ///< `answer` is, once the request has been read whole (`ready`).
    kClose,      ///< The connection ends in place of an answer,
    kReset,      ///< or is reset.
    kNever,      ///< Nothing is answered, nor anything after it.
  } fate = Fate::kUndecided;
  std::uint64_t unit = 0;
  std::uint64_t tag = 0;
  Duration hold_reply = {};
  std::string answer = {};
  bool ready = false;
  bool masked = false;       ///< Forwarded, but `answer` is told in place of the server's reply,
  bool lost = false;         ///< or the connection ends.
  bool close_after = false;  ///< The connection ends after the answer, whoever gives it.
  bool head = false;         ///< HEAD: the reply has no body.
  bool connect = false;
  bool upgrade = false;
};

/// A queue that owns no memory while it is empty and was never deep.
class Ledger {
 public:
  bool empty() const { return first_ == owed_.size(); }
  std::size_t size() const { return owed_.size() - first_; }
  Owed& front() { return owed_[first_]; }
  const Owed& front() const { return owed_[first_]; }
  Owed& back() { return owed_.back(); }
  /// References to entries die.
  void push(Owed owed) { owed_.push_back(std::move(owed)); }
  void pop();

 private:
  std::vector<Owed> owed_;
  std::size_t first_ = 0;
};

}  // namespace misrule::codecs::http
