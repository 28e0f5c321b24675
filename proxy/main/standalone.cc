#include "proxy/standalone.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/admin/admin_server.h"
#include "proxy/admin/event_hub.h"
#include "proxy/admin/live_rules.h"
#include "proxy/main/authority_folder.h"
#include "proxy/main/file_watch.h"
#include "proxy/main/json_lines.h"
#include "proxy/main/settings.h"

namespace misrule::proxy {

namespace {

constexpr Logger kLog{"proxy"};
/// A change comes as several: the file is read when none has come for so long.
constexpr int kQuietMs = 20;

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

/// A connection is two descriptors; the usual soft limit of 1024 is soon met.
void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

UniqueFd open_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Nobody may read the events any more; traffic goes on.
  ::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

/// The process between its start and its end: what it is told, and what it does then.
class Standalone {
 public:
  explicit Standalone(Settings settings)
      : settings_(std::move(settings)),
        signals_(open_signals()),
        drained_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        events_(STDOUT_FILENO) {}

  Status start();
  void serve();
  void end();

 private:
  Status listen();
  Status load_rules();
  void reload_rules(bool asked);
  void take_signals();
  void begin_drain();
  int wait_ms() const { return changed_ ? kQuietMs : -1; }

  const Settings settings_;
  UniqueFd signals_;
  UniqueFd drained_;
  EventHub events_;
  AuthorityFolder authority_;
  std::unique_ptr<Proxy> proxy_;
  std::optional<LiveRules> rules_;
  std::optional<FileWatch> watch_;
  std::string rules_text_;  // As it was read last, right or wrong.
  bool changed_ = false;
  bool stop_now_ = false;
  std::atomic<bool> draining_ = false;
  std::unique_ptr<AdminServer> admin_;
  std::thread drainer_;
};

Status Standalone::listen() {
  std::vector<std::string> all;
  for (const Listener& listener : settings_.listeners) {
    MISRULE_TRY(const ListenerId id, proxy_->add_listener(listener));
    all.push_back(endpoint_text(proxy_->listening_at(id)));
    kLog.info("{} ({}.{}, {}) -> {}", all.back(), listener.service, listener.interface,
              listener.sniffs ? "auto" : model::protocol_name(listener.protocol),
              endpoint_text(listener.upstream));
  }
  model::Event ready = lifecycle("ready");
  ready.set("listen", all.front()).set("listeners", model::Json{json_list(all)});
  if (!authority_.path().empty()) {
    const std::string ca =
        settings_.ca_outs.empty() ? authority_.certificate() : settings_.ca_outs.front();
    ready.set("ca", ca);
    kLog.info("certificates made on the fly are signed by {}: clients have to trust it", ca);
  }
  MISRULE_TRY_VOID(load_rules());
  if (settings_.admin) {
    const AdminListen admin{.at = *settings_.admin, .allow_remote = settings_.admin_allow_remote};
    MISRULE_TRY(
        admin_,
        AdminServer::start(
            admin, {.proxy = *proxy_, .rules = *rules_, .events = events_, .draining = draining_}));
    const std::string at = endpoint_text(admin_->listening_at());
    ready.set("admin", at);
    kLog.info("admin API on {}", at);
  }
  events_.emit(std::move(ready));
  return {};
}

Status Standalone::start() {
  allow_many_descriptors();
  if (needs_authority(settings_)) {
    MISRULE_TRY(authority_, AuthorityFolder::make(settings_.ca_outs));
  }
  MISRULE_TRY(proxy_, Proxy::start({.sink = events_,
                                    .seed = settings_.seed,
                                    .loops = settings_.loops,
                                    .record_all = settings_.record_all,
                                    .authority_folder = authority_.path()}));
  rules_.emplace(*proxy_, settings_.listeners, events_);
  return listen();
}

Status Standalone::load_rules() {
  if (settings_.rules_file.empty()) return {};
  // First watched, then read: no change is lost in between.
  if (settings_.watches_rules) {
    MISRULE_TRY(FileWatch watch, FileWatch::start(settings_.rules_file));
    watch_.emplace(std::move(watch));
  }
  MISRULE_TRY(rules_text_, read_text_file(settings_.rules_file));
  MISRULE_TRY(const RulesInForce taken,
              rules_->replace(rules_text_, settings_.rules_file, std::nullopt));
  static_cast<void>(taken);
  return {};
}

void Standalone::reload_rules(bool asked) {
  changed_ = false;
  if (settings_.rules_file.empty()) return;
  Result<std::string> text = read_text_file(settings_.rules_file);
  if (!text) {
    kLog.error("{}; version {} stays", text.error().what, rules_->in_force().version);
    events_.emit(lifecycle("rules_refused").set("detail", text.error().what));
    return;
  }
  if (!asked && *text == rules_text_) return;
  rules_text_ = *std::move(text);
  const auto taken = rules_->replace(rules_text_, settings_.rules_file, std::nullopt);
  if (!taken) kLog.debug("a refusal has been told where it was made");
}

void Standalone::begin_drain() {
  if (draining_.exchange(true)) {
    kLog.info("asked again: ends at once");
    stop_now_ = true;
    return;
  }
  kLog.info("drains: {} connections are open, at most {} s", proxy_->counters().connections_open,
            std::chrono::duration_cast<std::chrono::seconds>(settings_.drain).count());
  events_.emit(lifecycle("draining"));
  drainer_ = std::thread([this] {
    proxy_->stop(settings_.drain);
    ::eventfd_write(drained_.fd(), 1);
  });
}

void Standalone::take_signals() {
  signalfd_siginfo told{};
  while (::read(signals_.fd(), &told, sizeof told) == sizeof told) {
    const auto signal = static_cast<int>(told.ssi_signo);
    if (signal == SIGHUP) reload_rules(true);
    if (signal == SIGUSR1) tell_counters(*proxy_, events_);
    if (signal == SIGTERM || signal == SIGINT) begin_drain();
  }
}

void Standalone::serve() {
  while (!stop_now_) {
    pollfd waited[] = {{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                       {.fd = drained_.fd(), .events = POLLIN, .revents = 0},
                       {.fd = watch_ ? watch_->fd() : -1, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waited, std::size(waited), wait_ms());
    if (ready == 0) reload_rules(false);
    if (ready <= 0) continue;
    if (waited[2].revents != 0) changed_ = watch_->take_changes() || changed_;
    if (waited[0].revents != 0) take_signals();
    if (waited[1].revents != 0) return;
  }
}

void Standalone::end() {
  proxy_->stop(Duration::zero());
  if (drainer_.joinable()) drainer_.join();
  tell_counters(*proxy_, events_);
  admin_.reset();
  kLog.info("ended");
}

}  // namespace

Result<int> run_standalone(const StandaloneArguments& arguments) {
  MISRULE_TRY(Settings settings, settle(arguments));
  configure_log(settings.log);
  Standalone standalone(std::move(settings));
  MISRULE_TRY_VOID(standalone.start());
  standalone.serve();
  standalone.end();
  return 0;
}

}  // namespace misrule::proxy
