#pragma once

// The proxy: one listener per (consumer, interface), a conversation per connection, rules that
// can be swapped at any time. The only header of proxy/ that other folders may include.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/result.h"
#include "spec/model/event.h"
#include "spec/model/tally.h"
#include "spec/model/topology.h"

namespace misrule::model {
class Rule;
class RuleSet;
}  // namespace misrule::model

namespace misrule::proxy {

/// An address with its size; how listeners and upstreams are named.
struct Endpoint {
  sockaddr_storage address = {};
  socklen_t size = 0;
};
/// "127.0.0.1:5432", "[::1]:5432", "localhost:5432" (IPv4 loopback), "unix:/run/app.sock". Names
/// are not looked up.
Result<Endpoint> parse_endpoint(std::string_view text);
std::string endpoint_text(const Endpoint& endpoint);

using model::ClientTls;
using model::ServerTls;

struct Listener {
  std::string service = {};  ///< Whose interface this is.
  std::string interface = {};
  model::Protocol protocol = model::Protocol::kTcp;
  /// What a connection speaks is found out from its first bytes; `protocol` is kTcp.
  bool sniffs = false;
  /// Who connects here: a service, or "test". Empty: everybody is in scope (a sidecar).
  std::string consumer = {};
  Endpoint listen = {};    ///< Port 0: any.
  Endpoint upstream = {};  ///< The real server.
  /// Where it may listen instead, asked when the first address refuses; size 0: nowhere.
  Endpoint upstream_else = {};
  std::optional<ClientTls> tls = {};
  std::optional<ServerTls> upstream_tls = {};
};

/// Makes a certificate authority in `folder`, unless it is there already: `ca.pem` for everybody,
/// `ca.key` for its owner alone. Answers the path of the first.
Result<std::string> make_authority(const std::string& folder);

struct Options {
  model::EventSink& sink;
  /// Told, from any loop, when bytes of one service go on to another; made-up ones do not count.
  std::function<void(std::string_view from, std::string_view to)> passes = {};
  std::uint64_t seed = 1;
  /// Windows of rules count from here; if it is not given, from when their rule was armed.
  std::optional<TimePoint> start = {};
  unsigned loops = 1;
  /// An event per unit (a test); else only for those acted on (a sidecar).
  bool record_all = true;
  /// Where make_authority() made the one that signs certificates made on the fly; empty: none.
  std::string authority_folder = {};
};

using ListenerId = std::size_t;

struct CutReport {
  std::size_t connections = 0;
};

struct Counters {
  std::uint64_t connections_total = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_opaque = 0;
  std::uint64_t messages_total = 0;  ///< Units decided: statements, requests.
  std::uint64_t bytes_to_server = 0;
  std::uint64_t bytes_to_client = 0;
};

/// One open connection, for people who look.
struct ConnectionState {
  std::string name = {};  ///< As events call it: "client#3".
  std::string service = {};
  std::string interface = {};
  std::string client = {};    ///< Its address; "unix" for an unnamed socket.
  std::string protocol = {};  ///< "unknown" until it is found out.
  std::string state = {};     ///< "connecting", "flowing", or what the protocol says.
  bool held = false;          ///< Something of it is held by a rule now.
  Duration age = {};
  std::uint64_t bytes_to_server = 0;
  std::uint64_t bytes_to_client = 0;
};

/// Thread-safe: its calls may come from any thread but those of its own loops, and return when
/// every loop has taken the change up.
class Proxy {
 public:
  virtual ~Proxy() = default;  ///< stop()s.

  /// Starts the loops' threads in the calling thread's network namespace.
  static Result<std::unique_ptr<Proxy>> start(const Options& options);

  virtual Result<ListenerId> add_listener(const Listener& listener) = 0;
  virtual Endpoint listening_at(ListenerId listener) const = 0;

  /// Connects upstream now; the next connection accepted on this listener gets that upstream. An
  /// error is the server's own (kRefused with the errno in `error_number` where that is not null).
  /// Unclaimed ones are closed after a second.
  virtual Status open_upstream(ListenerId listener, int* error_number) = 0;

  /// Replaces all rules at once. Rules with a SyscallMatch are ignored. Tallies of rules whose id
  /// stays go on; what a vanished rule holds goes on at once, with an event. Fails, changing
  /// nothing, if a rule cannot be (kInvalid; a sentence that says why: no such interface, wrong
  /// protocol for the target, an action that this protocol cannot carry out legally, a bad
  /// SQLSTATE).
  virtual Status set_rules(const model::RuleSet& rules) = 0;
  /// One per rule ever armed since start, in order of arming.
  virtual std::vector<model::RuleTally> tallies() const = 0;

  /// Lets go everything that the rule with this id holds now; how many units. kInvalid: no such
  /// rule was ever armed.
  virtual Result<std::size_t> release(const std::string& rule) = 0;
  /// Resets what `consumer` has open to the interface (empty: to all interfaces of the service).
  virtual CutReport cut(const std::string& consumer, const std::string& service,
                        const std::string& interface) = 0;
  virtual Counters counters() const = 0;
  /// Of at most so many open connections; the counters tell how many there are.
  virtual std::vector<ConnectionState> connections(std::size_t count_max) const = 0;

  /// Closes listeners, lets connections drain until the deadline, then ends them. Bounded. A second
  /// call, from another thread, moves the deadline.
  virtual void stop(Duration drain) = 0;
};

/// The static part of set_rules, for errors at load: would this rule be legal on its target? Knows
/// every protocol-specific refusal. Also fills in what a spec may leave to us (an SQLSTATE by its
/// condition name or by the message, the default status).
Status check_rule(const model::Topology& topology, model::Rule& rule);

}  // namespace misrule::proxy
