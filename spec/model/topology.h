#pragma once

// What the system under test is: services, their interfaces, what they need, when they are ready.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "spec/model/observed.h"

namespace misrule::model {

/// Where in a spec something was written; line 0 means nowhere. Lines and columns count from 1.
struct SourcePosition {
  std::string file = {};
  unsigned line = 0;
  unsigned column = 0;
};

enum class Protocol : std::uint8_t { kTcp, kHttp, kPostgres, kRedis, kKafka, kGrpc };

/// "postgres"; the spelling of specs and events.
std::string_view protocol_name(Protocol protocol);
std::optional<Protocol> protocol_from_name(std::string_view name);

/// How a proxy speaks TLS with clients. Without files its certificates are made as they are asked
/// for, signed by an authority of the run's own.
struct ClientTls {
  std::string cert = {};  ///< A PEM file, its chain behind it; the server's own is a good choice.
  std::string key = {};
};

/// How a proxy speaks TLS with the real server.
struct ServerTls {
  enum class Verify : std::uint8_t {
    kByPlace,  ///< kFull with a `ca` or where the server is elsewhere, else kNone.
    kNone,
    kChain,  ///< Signed by `ca`, whatever its name.
    kFull,   ///< And made out to `server_name`, or to the upstream's address.
  };
  std::string ca = {};    ///< A PEM file; empty: what the system trusts.
  std::string cert = {};  ///< Who we are, where the server asks.
  std::string key = {};
  std::string server_name = {};  ///< Empty: the one that the client asked for.
  Verify verify = Verify::kByPlace;
};
/// "none", "chain", "full".
std::optional<ServerTls::Verify> verify_from_name(std::string_view name);

struct Interface {
  std::string name = {};
  Protocol protocol = Protocol::kTcp;
  std::uint16_t port = 0;
  std::optional<ClientTls> tls = {};           ///< Of services that connect; the test does not.
  std::optional<ServerTls> upstream_tls = {};  ///< Of the proxy with the server.
  SourcePosition position = {};
};

/// When a service counts as ready.
struct Healthcheck {
  enum class Kind : std::uint8_t { kNone, kTcp, kHttp } kind = Kind::kNone;
  std::string host = "localhost";
  std::uint16_t port = 0;
  std::string path = {};  ///< kHttp only, with its slash.
  Duration timeout = std::chrono::seconds(30);
};

enum class Restart : std::uint8_t {
  kAfterFault,  ///< An exit that a fault explains: started again when the fault has ended.
  kNever,
  kAlways,
};

/// A file of SQL statements, or a callable of the spec (known to the spec's side by its index).
struct Seed {
  std::string sql_file = {};                 ///< Absolute path; empty for a callable.
  std::optional<std::size_t> callable = {};  ///< Among seeds, or among resets.
};

/// observe=[wal_stream()]: every change of a PostgreSQL database, as it is committed.
struct WalStream {
  std::vector<std::string> tables = {};   ///< Globs of "table" or "schema.table"; empty: all.
  std::vector<std::string> columns = {};  ///< Empty: all.
  bool decode_json = false;               ///< What is text and holds JSON stands as that.
};

struct Service {
  std::string name = {};
  std::vector<Interface> interfaces = {};
  std::string image = {};   ///< "postgres:16"; empty if `binary` says what runs.
  std::string build = {};   ///< A directory, as written.
  std::string remote = {};  ///< "host:port": it runs already.
  std::string binary = {};  ///< A path (relative ones: to the spec's folder) or a name on PATH.
  std::vector<std::string> args = {};
  std::vector<std::pair<std::string, std::string>> env = {};  ///< In the spec's order.
  std::string cwd = {};                                       ///< Empty: the spec's folder.
  std::string user = {};
  std::vector<std::string> depends_on = {};
  Healthcheck healthcheck = {};
  Restart restart = Restart::kAfterFault;
  std::optional<Seed> seed = {};
  std::optional<Seed> reset = {};  ///< Makes its state clean before each test; after the seed.
  std::vector<std::string> intercept = {};  ///< Families the filter must see beyond those named.
  std::optional<WalStream> wal_stream = {};
  std::vector<Observed> observed = {};
  SourcePosition position = {};

  const Interface* find_interface(std::string_view name) const;
  /// It has a source of such events in observe=.
  bool observes(std::string_view type) const;
};

struct Topology {
  std::vector<Service> services = {};  ///< In order of declaration.

  const Service* find_service(std::string_view name) const;
  /// Some certificate is made on the fly.
  bool needs_authority() const;
};

}  // namespace misrule::model
