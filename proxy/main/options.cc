#include <CLI/CLI.hpp>

#include "proxy/standalone.h"

namespace misrule::proxy {

namespace {

constexpr const char* kExamples = R"(Examples:
  misrule proxy --listen 127.0.0.1:6432 --protocol postgres --upstream 127.0.0.1:5432
  misrule proxy --listen 6432 --upstream 127.0.0.1:5432 --rules rules.yaml \
      --admin unix:/run/misrule.sock
  misrule proxy --route 6432,postgres,127.0.0.1:5432,db --route 8081,http,127.0.0.1:8080,api
  misrule proxy --config proxies.yaml
  misrule proxy --listen 6432 --upstream 127.0.0.1:5432 --tls --tls-ca-out ca.pem
  misrule proxy --route tls:8443,http,tls:127.0.0.1:443
  misrule proxy --listen unix:/tmp/pg/.s.PGSQL.5432 --upstream unix:/run/postgresql/.s.PGSQL.5432
  curl --unix-socket /run/misrule.sock http://misrule/rules/stats

SIGHUP reads the rules again (a changed file is read without being asked), SIGUSR1 prints the
counters, SIGTERM drains and ends, a second one ends at once. Exit codes: 0 ended as asked, 2 the
command line or a file is wrong, 3 the system said no.)";

void add_routes(CLI::App& command, StandaloneArguments& arguments) {
  command
      .add_option("--listen", arguments.listen,
                  "HOST:PORT, PORT (on loopback; 0: any) or unix:/path")
      ->capture_default_str();
  command
      .add_option("--protocol", arguments.protocol,
                  "auto (by the first bytes), postgres, http, redis, tcp")
      ->capture_default_str();
  command.add_option("--upstream", arguments.upstream,
                     "HOST:PORT or unix:/path of the real server");
  command.add_option("--service", arguments.service, "what rules call the server [upstream]");
  command.add_option("--interface", arguments.interface, "what rules call its interface [main]");
  command
      .add_option(
          "--route", arguments.routes,
          "LISTEN,PROTOCOL,UPSTREAM[,SERVICE[.INTERFACE]]; as often as you like; tls: before "
          "LISTEN or UPSTREAM: that side speaks TLS")
      ->allow_extra_args(false);
  command.add_option("--config", arguments.config, "the same, and more, as a YAML file")
      ->type_name("FILE");
}

void add_tls(CLI::App& command, StandaloneTls& tls) {
  command.add_flag("--tls", tls.on,
                   "clients speak TLS; without --tls-cert its certificate is made on the fly");
  command
      .add_option("--tls-cert", tls.cert,
                  "PEM; the server's own, if clients shall not see a difference")
      ->type_name("FILE");
  command.add_option("--tls-key", tls.key, "PEM")->type_name("FILE");
  command
      .add_option("--tls-ca-out", tls.ca_out,
                  "where to write who signs what is made on the fly: clients trust it")
      ->type_name("FILE");
  command.add_flag("--upstream-tls", tls.upstream, "the server is spoken TLS with");
  command.add_option("--upstream-ca", tls.upstream_ca, "PEM: verify the server's certificate")
      ->type_name("FILE");
  command.add_option("--upstream-cert", tls.upstream_cert, "PEM: ours, where the server asks")
      ->type_name("FILE");
  command.add_option("--upstream-key", tls.upstream_key, "PEM")->type_name("FILE");
  command.add_option("--upstream-name", tls.upstream_name,
                     "what the server is called in TLS [what the client asked for]");
  command.add_option("--upstream-verify", tls.upstream_verify,
                     "none, chain or full [full with --upstream-ca or off loopback, else none]");
}

}  // namespace

void add_standalone_options(CLI::App& command, StandaloneArguments& arguments) {
  add_routes(command, arguments);
  add_tls(command, arguments.tls);
  command
      .add_option("--rules", arguments.rules,
                  "YAML (what 'misrule compile' prints, or a list) or JSON")
      ->type_name("FILE");
  command.add_flag("--no-rules-watch", arguments.no_rules_watch,
                   "read them again on SIGHUP only, not when their file changes");
  command.add_option("--admin", arguments.admin, "unix:/path or HOST:PORT of the admin API");
  command.add_flag("--admin-allow-remote", arguments.admin_allow_remote,
                   "the admin API may listen on other addresses than loopback");
  command.add_option("--loops", arguments.loops, "event loops, each a thread [1]");
  command.add_option("--seed", arguments.seed, "of probabilities [1]");
  command.add_option("--drain", arguments.drain,
                     "how long open connections may go on after SIGTERM [30s]");
  command.add_option("--log-level", arguments.log_level, "debug, info, warn or error")
      ->capture_default_str();
  command.add_option("--log-format", arguments.log_format, "text or json, on standard error")
      ->capture_default_str();
  command.add_flag("--record-all", arguments.record_all,
                   "an event per request, not only where a rule acts");
  command.set_version_flag("--version", "misrule " MISRULE_VERSION);
  command.footer(kExamples);
}

}  // namespace misrule::proxy
