// The public face: launches, rules and tallies go to the loop's thread as commands and are waited
// for.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <future>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/socket.h>

#include "interceptor/decide/compile.h"
#include "interceptor/decide/errnos.h"
#include "interceptor/interceptor.h"
#include "interceptor/notify/loop.h"
#include "interceptor/notify/objects.h"
#include "interceptor/notify/probe.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::interceptor {
namespace {

constexpr int kShimSocketNumber = 3;

class ThreadSupervisor final : public Supervisor {
 public:
  ThreadSupervisor(const Options& options, bool wait_killable)
      : options_(options), wait_killable_(wait_killable), loop_(options) {}
  ~ThreadSupervisor() override { stop(); }

  Status open() {
    MISRULE_TRY_VOID(loop_.open());
    // Signals are for whoever hosts the supervisor, never for its thread, which inherits this mask.
    sigset_t all = {};
    sigset_t before = {};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { loop_.run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "interceptor");
    return {};
  }

  Result<Launch> prepare(const std::string& service, const std::set<std::string>& families,
                         const std::string& user) override;
  Status wait_attached(const std::string& service, Duration timeout) override;
  Status set_rules(const model::RuleSet& rules) override;
  std::vector<model::RuleTally> tallies() const override;
  Counters counters() const override;
  void stop() override;

 private:
  /// Runs `command` on the loop's thread and waits; after stop(), here, when nobody else runs any
  /// more.
  template <class Command>
  auto on_loop(Command command) const -> decltype(command());
  FilterScope scope_of(ServiceId service, const std::set<std::string>& families) const;
  std::shared_ptr<ServedService> known_service(ServiceId id, const std::string& name);

  const Options options_;
  const bool wait_killable_;
  mutable Loop loop_;
  std::thread thread_ = {};
  mutable std::mutex mutex_ = {};
  bool stopped_ = false;                                                 // Guarded by mutex_.
  std::map<std::string, std::shared_ptr<AttachResult>> launches_ = {};   // Guarded by mutex_.
  std::map<std::string, std::shared_ptr<ServedService>> services_ = {};  // Guarded by mutex_.
};

template <class Command>
auto ThreadSupervisor::on_loop(Command command) const -> decltype(command()) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return command();
  std::promise<decltype(command())> answer;
  loop_.post([&] { answer.set_value(command()); });
  return answer.get_future().get();
}

FilterScope ThreadSupervisor::scope_of(ServiceId service,
                                       const std::set<std::string>& families) const {
  FilterScope scope = {.families = families};
  const bool asked = scope.families.erase("send") + scope.families.erase("recv") > 0;
  scope.sockets = asked || !keeps_state(options_.topology, service);
  return scope;
}

std::shared_ptr<ServedService> ThreadSupervisor::known_service(ServiceId id,
                                                               const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& service = services_[name];
  if (service == nullptr) {
    service = std::make_shared<ServedService>(
        ServedService{.id = id, .name = name, .tree = ProcessTree(name)});
  }
  return service;
}

Result<Launch> ThreadSupervisor::prepare(const std::string& service,
                                         const std::set<std::string>& families,
                                         const std::string& user) {
  const auto& services = options_.topology.services;
  const auto found = std::ranges::find(services, service, &model::Service::name);
  if (found == services.end()) {
    return fail(Code::kNotFound, fmt::format("no service is called \"{}\"", service));
  }
  const auto id = static_cast<ServiceId>(found - services.begin());
  const FilterScope scope = scope_of(id, families);
  MISRULE_TRY(const auto filter, build_filter(scope));
  MISRULE_TRY(const auto ids, find_user(user));
  std::array<int, 2> ends = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return std::unexpected(errno_error("socketpair", errno));
  }
  UniqueFd ours(ends[0]);
  Launch launch = {.shim_socket = UniqueFd(ends[1]), .socket_number = kShimSocketNumber};
  launch.argv = {options_.shim_path, std::to_string(kShimSocketNumber), "--"};
  MISRULE_TRY_VOID(send_order(ours.fd(), filter, ids, wait_killable_));
  auto result = std::make_shared<AttachResult>();
  Attaching attaching = {.socket = std::move(ours),
                         .scope = scope,
                         .service = known_service(id, service),
                         .result = result};
  MISRULE_TRY_VOID(on_loop([&] { return loop_.attach(std::move(attaching)); }));
  const std::lock_guard lock(mutex_);
  launches_[service] = std::move(result);
  return launch;
}

Status ThreadSupervisor::wait_attached(const std::string& service, Duration timeout) {
  std::shared_ptr<AttachResult> result;
  {
    const std::lock_guard lock(mutex_);
    const auto found = launches_.find(service);
    if (found == launches_.end()) return fail(Code::kNotFound, service + " was never prepared");
    result = found->second;
  }
  return result->wait(timeout);
}

Status ThreadSupervisor::set_rules(const model::RuleSet& rules) {
  MISRULE_TRY(auto compiled, compile_rules(rules, options_.topology, canonical_glob));
  return on_loop([&] { return loop_.set_rules(std::move(compiled)); });
}

std::vector<model::RuleTally> ThreadSupervisor::tallies() const {
  return on_loop([&] { return loop_.calls().decider().tallies(); });
}

Counters ThreadSupervisor::counters() const {
  return on_loop([&] { return loop_.calls().counters(); });
}

void ThreadSupervisor::stop() {
  // Held until the thread has ended: from then on commands run on their callers' threads.
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  stopped_ = true;
  if (!thread_.joinable()) return;
  loop_.post([this] { loop_.quit(); });
  thread_.join();
}

}  // namespace

const std::vector<std::string>& families() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    out.reserve(kFamilyCount);
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      out.emplace_back(family_name(static_cast<Family>(i)));
    }
    return out;
  }();
  return names;
}

bool is_family(std::string_view name) { return family_from_name(name).has_value(); }

Result<std::unique_ptr<Supervisor>> Supervisor::start(const Options& options) {
  MISRULE_TRY(const auto support, probe_notification());
  auto supervisor = std::make_unique<ThreadSupervisor>(options, support.wait_killable);
  MISRULE_TRY_VOID(supervisor->open());
  return supervisor;
}

}  // namespace misrule::interceptor
