#pragma once

// A proxy that stands alone: what `misrule proxy` and `misrule-proxy` are, and what benchmarks
// drive.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace misrule::proxy {

/// TLS of the one proxy that --upstream names.
struct StandaloneTls {
  bool on = false;  ///< With clients; any of the three below says so, too.
  std::string cert = {};
  std::string key = {};
  std::string ca_out = {};
  bool upstream = false;  ///< With the server; any of the five below says so, too.
  std::string upstream_ca = {};
  std::string upstream_cert = {};
  std::string upstream_key = {};
  std::string upstream_name = {};
  std::string upstream_verify = {};
};

/// The command line, as it was written.
struct StandaloneArguments {
  std::string listen = "127.0.0.1:0";
  std::string protocol = "auto";
  std::string upstream = {};
  std::string service = {};    ///< What rules call the server; "upstream" if not said.
  std::string interface = {};  ///< And this interface of it; "main".
  StandaloneTls tls = {};
  std::vector<std::string> routes = {};
  std::string config = {};
  std::string rules = {};
  bool no_rules_watch = false;  ///< Read them again on SIGHUP only.
  std::string admin = {};
  bool admin_allow_remote = false;
  unsigned loops = 0;  ///< 0: not said, one.
  std::uint64_t seed = 0;
  std::string drain = {};  ///< "30s" if not said.
  std::string log_level = "info";
  std::string log_format = "text";
  bool record_all = false;
};

/// Options, their words and examples. `arguments` must outlive the parsing.
void add_standalone_options(CLI::App& command, StandaloneArguments& arguments);

/// Until SIGTERM or SIGINT; answers the exit code. SIGHUP loads the rules again (as does a change
/// of their file), SIGUSR1 writes the counters and tallies. Events are JSON lines on standard
/// output: the first says where it listens, the last ones are the tallies and counters.
Result<int> run_standalone(const StandaloneArguments& arguments);

}  // namespace misrule::proxy
