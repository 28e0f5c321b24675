#include "proxy/standalone.h"

#include <signal.h>
#include <sys/resource.h>

#include "proxy/main/json_lines.h"
#include "spec/model/rules.pb.h"

namespace misrule::proxy {

namespace {

sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&set, signal);
  return set;
}

model::Event lifecycle(std::string action) {
  model::Event event{.service = "proxy", .type = "lifecycle"};
  event.set("action", std::move(action));
  return event;
}

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

void tell_counters(const Proxy& proxy, model::EventSink& sink) {
  for (const model::RuleTally& tally : proxy.tallies()) {
    model::Event event = lifecycle("tally");
    event.set("rule", tally.rule).set("considered", number(tally.considered));
    event.set("matched", number(tally.matched)).set("fired", number(tally.fired));
    event.set("near_misses", model::Json{json_list(tally.near_misses)});
    sink.emit(std::move(event));
  }
  const Counters counters = proxy.counters();
  model::Event event = lifecycle("counters");
  event.set("connections_total", number(counters.connections_total))
      .set("connections_open", number(counters.connections_open))
      .set("connections_opaque", number(counters.connections_opaque))
      .set("messages_total", number(counters.messages_total))
      .set("bytes_to_server", number(counters.bytes_to_server))
      .set("bytes_to_client", number(counters.bytes_to_client));
  sink.emit(std::move(event));
}

Status load(const StandaloneOptions& options, Proxy& proxy, model::EventSink& sink) {
  if (!options.load_rules) return {};
  model::RuleSet rules;
  MISRULE_TRY_VOID(options.load_rules(rules));
  for (model::Rule& rule : *rules.mutable_rules()) {
    if (rule.has_target()) continue;
    rule.mutable_target()->set_service(options.listener.service);
    rule.mutable_target()->set_interface(options.listener.interface);
  }
  MISRULE_TRY_VOID(proxy.set_rules(rules));
  sink.emit(lifecycle("rules_loaded").set("count", std::int64_t{rules.rules_size()}));
  return {};
}

void serve(const StandaloneOptions& options, Proxy& proxy, model::EventSink& sink) {
  const sigset_t signals = watched_signals();
  for (;;) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGUSR1) tell_counters(proxy, sink);
    if (signal != SIGHUP) continue;
    if (const Status loaded = load(options, proxy, sink); !loaded.has_value()) {
      sink.emit(lifecycle("rules_refused").set("detail", loaded.error().what));
    }
  }
}

/// A connection is two descriptors; the usual soft limit of 1024 is soon met.
void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<int> run_standalone(const StandaloneOptions& options) {
  const sigset_t signals = watched_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  allow_many_descriptors();
  // Nobody may read the events any more; traffic goes on.
  ::signal(SIGPIPE, SIG_IGN);
  JsonLines sink(options.events_fd);
  MISRULE_TRY(const std::unique_ptr<Proxy> proxy, Proxy::start({.sink = sink,
                                                                .seed = options.seed,
                                                                .loops = options.loops,
                                                                .record_all = options.record_all}));
  MISRULE_TRY(const ListenerId id, proxy->add_listener(options.listener));
  MISRULE_TRY_VOID(load(options, *proxy, sink));
  sink.emit(lifecycle("ready").set("listen", endpoint_text(proxy->listening_at(id))));
  serve(options, *proxy, sink);
  proxy->stop(options.drain);
  tell_counters(*proxy, sink);
  return 0;
}

}  // namespace misrule::proxy
