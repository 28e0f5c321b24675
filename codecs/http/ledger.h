#pragma once

// What the client of one connection is owed, in the order in which it asked.

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "codecs/facts.h"
#include "codecs/http/asked.h"
#include "codecs/lean_queue.h"

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
  bool close_after = false;     ///< The connection ends after the answer, whoever gives it.
  bool old_keep_alive = false;  ///< HTTP/1.0 that asked to stay.
  bool head = false;            ///< HEAD: the reply has no body.
  bool connect = false;
  bool upgrade = false;
  bool websocket = false;
  bool repeated = false;                ///< A duplicate: the client does not know of it.
  bool reply_decided = false;           ///< Phase::kReply was asked about.
  std::unique_ptr<Verb> on_reply = {};  ///< What becomes of the reply; null: it passes.
  std::unique_ptr<Asked> asked = {};    ///< Where something later wants to know it.
};

using Ledger = LeanQueue<Owed>;

}  // namespace misrule::codecs::http
