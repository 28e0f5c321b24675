#pragma once

// connect() on behalf of a process: through a duplicate of its socket, to another destination, with
// exactly the outcome that the process's own call would have had there.

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "interceptor/decide/facts.h"
#include "interceptor/notify/destination.h"
#include "interceptor/notify/listener.h"

namespace misrule::interceptor {

/// A connect() that waits for its answer.
struct ConnectCall {
  std::uint64_t id = 0;
  pid_t tid = 0;
  Destination destination = {};  ///< Normalised.
  UniqueFd socket = {};          ///< The duplicate.
  sa_family_t family = 0;        ///< The socket's own.
  FdKind kind = FdKind::kUnknown;
  bool blocking = true;
  /// Neither connected, nor trying to, nor with an error to tell: not a second call that asks how
  /// the first one went.
  bool fresh = true;
};

/// An error: the kernel itself has the right answer (bad descriptor, bad address).
Result<ConnectCall> read_connect(const Notification& call);

/// What to answer the process.
struct ConnectAnswer {
  enum class Kind : std::uint8_t {
    kGoOn,     ///< The kernel goes on: the attempt is under way, its own call waits for it.
    kSucceed,  ///< Connected.
    kFail,     ///< With `error`.
  } kind = Kind::kFail;
  int error = 0;
};

/// Starts to connect; never blocks.
ConnectAnswer connect_through(const ConnectCall& call, const Destination& to);

/// The same with a handshake that stays open until open_gate(): what arrives at the socket is
/// dropped. For a socket that does not block, whose owner waits for it elsewhere.
ConnectAnswer connect_gated(const ConnectCall& call, const Destination& to);
/// The next retransmission, at most a second away, completes the handshake.
void open_gate(const ConnectCall& call);
/// Ends the attempt: its owner sees an error.
void abandon(const ConnectCall& call);

}  // namespace misrule::interceptor
