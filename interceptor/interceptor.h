#pragma once

// The interceptor: decides what becomes of the system calls of services that Misrule started.
//
// One supervisor thread serves the seccomp listeners of all services of a world. A service is
// exec'd through the shim (a static executable), which installs the filter and hands the listener
// over. The only header of interceptor/ that other folders may include.
//
// It is no security boundary: a call that is let through is read again by the kernel from memory
// that the process may have changed meanwhile.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "spec/model/event.h"
#include "spec/model/tally.h"

namespace misrule::model {
class RuleSet;
struct Topology;
}  // namespace misrule::model

namespace misrule::interceptor {

/// "connect", "read", "write", "fsync", "open"; and whether a name is one.
const std::vector<std::string>& families();
bool is_family(std::string_view name);
/// The errno of "ENOSPC"; 0 if there is no such name.
int errno_from_name(std::string_view name);
/// Every errno name, for "did you mean".
const std::vector<std::string>& errno_names();

/// Where a service's connect() goes.
struct Route {
  enum class Kind : std::uint8_t {
    kUntouched,  ///< The kernel's own answer; and an event if `service` is empty: not declared.
    kRedirect,   ///< To `to` instead, through a duplicate of the socket.
    kRefuse,     ///< The declared server does not answer: connect() fails with `error`.
  } kind = Kind::kUntouched;
  sockaddr_storage to = {};
  socklen_t to_size = 0;
  int error = 0;
  std::string service = {};  ///< The declared destination, for events and `to=`.
  std::string interface = {};
};

/// A service's connection, as its own socket shows it.
struct SocketEnds {
  sockaddr_storage own = {};
  sockaddr_storage peer = {};
  bool peer_is_open = false;  ///< The peer has not closed its side.
};

/// Knows the declared interfaces and their proxies. Called on the supervisor's thread: must answer
/// within microseconds (a loopback connect to the upstream is), and must not call the supervisor.
/// Destinations arrive in one form: v4-mapped is AF_INET, and the unspecified address is the
/// loopback. A route's `to` may be AF_INET for an IPv6 socket: it is mapped.
class ConnectRouter {
 public:
  virtual ~ConnectRouter() = default;

  /// The declared destination only: fills in kind, service and interface, connects nothing.
  virtual Route lookup(std::string_view consumer, const sockaddr_storage& destination) = 0;
  /// The same and prepares the way: the proxy has its upstream connection, or the route says
  /// kRefuse.
  virtual Route open(std::string_view consumer, const sockaddr_storage& destination) = 0;
  /// Whether the other end of a service's connection is an observer or probe of Misrule: no rule
  /// for read= or write= touches its sockets.
  virtual bool is_observer(const SocketEnds& ends) {
    static_cast<void>(ends);
    return false;
  }
};

struct Options {
  model::EventSink& sink;
  ConnectRouter& router;
  const model::Topology& topology;
  std::uint64_t seed = 1;
  std::string shim_path = {};  ///< The misrule-shim executable.
};

/// How to start a service under interception: exec argv[0] (the shim) with `shim_socket` inherited
/// as descriptor number `socket_number`, and with `argv` in front of the service's own program and
/// arguments. Working directory, environment, stdio and limits are the service's already; the shim
/// looks the program up on that environment's PATH.
struct Launch {
  UniqueFd shim_socket;
  int socket_number = 3;
  std::vector<std::string> argv = {};
};

/// What the supervisor has met since its start; most calls are no event.
struct Counters {
  std::uint64_t seen = 0;  ///< Calls that the filters brought here.
  std::uint64_t denied = 0;
  std::uint64_t delayed = 0;
  std::uint64_t redirected = 0;  ///< Connects to a proxy.
  std::uint64_t undeclared = 0;  ///< Connects to what nobody declared.
  std::uint64_t gone = 0;        ///< Threads that were killed before their call was received.
  std::uint64_t io_uring_denied = 0;
};

class Supervisor {
 public:
  virtual ~Supervisor() = default;  ///< stop()s.

  /// Starts the supervisor's thread. kUnsupported says which kernel feature or privilege is
  /// missing.
  static Result<std::unique_ptr<Supervisor>> start(const Options& options);

  /// Readies one launch of `service` (again after a restart). `families` is what the filter must
  /// see; connect is always seen. For a service that keeps state (Postgres, Redis, Kafka) "read"
  /// and "write" leave out the calls that only sockets know, unless "recv" or "send" is in
  /// `families` too. `user` (a name or number) empty: the shim keeps its user.
  virtual Result<Launch> prepare(const std::string& service, const std::set<std::string>& families,
                                 const std::string& user) = 0;
  /// Waits until the shim of the latest prepare() of this service has executed the program; its
  /// listener is served from before that. Fails with the shim's own words ("exec ./api: No such
  /// file or directory").
  virtual Status wait_attached(const std::string& service, Duration timeout) = 0;

  /// Replaces all rules at once. Those with a SyscallMatch count; others are ignored. Tallies of
  /// rules whose id stays go on. A call that a vanished rule delays goes on at once, with an event.
  /// Fails, changing nothing, if a rule cannot be: unknown family, errno or target, or something
  /// that the filter of its running service does not see. A rule without an action records: its
  /// matches are events with the decision "allow".
  virtual Status set_rules(const model::RuleSet& rules) = 0;
  /// One per rule ever armed since start, in order of arming.
  virtual std::vector<model::RuleTally> tallies() const = 0;
  virtual Counters counters() const = 0;

  /// Lets every held call go on and stops serving: call only when the services are gone or ending.
  virtual void stop() = 0;
};

/// One thing that this machine can or cannot do, for `misrule doctor`.
struct Probe {
  std::string name = {};
  bool available = false;
  std::string detail = {};  ///< Version, or the error.
  std::string cost = {};    ///< What is lost without it; empty if nothing.
};

/// Tries each kernel feature for real (interceptor probes: user notification, WAIT_KILLABLE_RECV,
/// SYNC_WAKE_UP, ADDFD, pidfd_getfd, namespaces). Takes up to some 100 ms.
std::vector<Probe> probe_kernel();

}  // namespace misrule::interceptor
