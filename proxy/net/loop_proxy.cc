#include "proxy/net/loop_proxy.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <latch>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "proxy/net/conversations.h"
#include "proxy/net/sniffing.h"
#include "proxy/net/sockets.h"
#include "proxy/net/tls_authority.h"
#include "proxy/net/tls_listener.h"
#include "spec/model/rules.pb.h"

namespace misrule::proxy {

namespace {

/// A loopback server answers at once; who does not is held by whoever asked, not by us.
constexpr int kUpstreamAnswerMs = 100;
constexpr auto kUnclaimed = std::chrono::seconds(1);

/// Signals are for the process's own threads: a loop's thread starts with all of them blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_ = {};
};

}  // namespace

Result<std::unique_ptr<Proxy>> Proxy::start(const Options& options) {
  if (options.loops == 0 || options.loops > 64) {
    return fail(Code::kInvalid, fmt::format("{} loops: 1 to 64 are possible", options.loops));
  }
  auto proxy = std::make_unique<LoopProxy>(options);
  proxy->run();
  return proxy;
}

LoopProxy::LoopProxy(const Options& options)
    : options_(options), book_(options.seed, options.start) {
  for (unsigned i = 0; i < options.loops; ++i) {
    shards_.push_back(std::make_unique<Shard>(Surroundings{.options = options_,
                                                           .clock = clock_,
                                                           .calls = kernel_sockets(),
                                                           .book = book_,
                                                           .cancel_keys = cancel_keys_,
                                                           .make_conversation = make_conversation,
                                                           .routes = &routes_}));
  }
}

LoopProxy::~LoopProxy() { stop(Duration::zero()); }

void LoopProxy::run() {
  const SignalsBlocked blocked;
  for (const auto& shard : shards_) {
    threads_.emplace_back([loop = &shard->loop()] { loop->run(); });
  }
  running_ = true;
}

void LoopProxy::everywhere(const std::function<void(Shard&)>& job) const {
  std::latch done(static_cast<std::ptrdiff_t>(shards_.size()));
  for (const auto& shard : shards_) {
    shard->loop().post([&job, &done, loop_shard = shard.get()] {
      job(*loop_shard);
      done.count_down();
    });
  }
  done.wait();
}

Result<ListenerId> LoopProxy::add_listener(const Listener& listener) {
  const std::lock_guard lock(mutex_);
  if (!running_) return fail(Code::kCancelled, "the proxy has been stopped");
  Listener wanted = listener;
  const bool is_signed = listener.tls && listener.tls->cert.empty();
  MISRULE_TRY(const Authority* signer, is_signed ? authority() : nullptr);
  MISRULE_TRY(std::unique_ptr<TlsListener> tls, TlsListener::make(listener, signer));
  std::vector<UniqueFd> sockets;
  MISRULE_TRY(UniqueFd first, listen_on(wanted.listen, shards_.size() > 1));
  wanted.listen = bound_to(first);
  SocketFile file(wanted.listen);
  sockets.push_back(std::move(first));
  while (sockets.size() < shards_.size()) {
    // A Unix socket cannot be bound twice: all loops accept from one.
    if (is_unix(wanted.listen)) {
      sockets.emplace_back(::fcntl(sockets.front().fd(), F_DUPFD_CLOEXEC, 0));
      continue;
    }
    MISRULE_TRY(UniqueFd fd, listen_on(wanted.listen, true));
    sockets.push_back(std::move(fd));
  }
  auto record = std::make_shared<ListenerRecord>(wanted, std::move(tls));
  std::mutex taking;
  everywhere([&](Shard& shard) {
    const std::lock_guard one(taking);
    shard.listen(record, std::move(sockets.back()));
    sockets.pop_back();
  });
  listening_.push_back({.record = std::move(record), .at = wanted.listen, .file = std::move(file)});
  return listening_.size() - 1;
}

Result<const Authority*> LoopProxy::authority() {
  if (!authority_ && !options_.authority_folder.empty()) {
    MISRULE_TRY(authority_, Authority::load(options_.authority_folder));
  }
  return authority_.get();
}

Endpoint LoopProxy::listening_at(ListenerId listener) const {
  const std::lock_guard lock(mutex_);
  return listening_.at(listener).at;
}

Status LoopProxy::open_upstream(ListenerId listener, int* error_number) {
  std::shared_ptr<ListenerRecord> record;
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return fail(Code::kCancelled, "the proxy has been stopped");
    record = listening_.at(listener).record;
  }
  MISRULE_TRY(UniqueFd fd, begin_connect(record->listener(), error_number));
  MISRULE_TRY_VOID(finish_connect(fd, kUpstreamAnswerMs, error_number));
  const TimePoint until = clock_.now() + kUnclaimed;
  record->offer_upstream(std::move(fd), until);
  Loop& loop = shards_.front()->loop();
  loop.post([&loop, record, until] {
    loop.at(until, [record, until] { record->drop_unclaimed(until); });
  });
  return {};
}

model::Topology LoopProxy::topology() const {
  model::Topology topology;
  for (const Listening& listening : listening_) {
    const Listener& listener = listening.record->listener();
    auto service = std::ranges::find(topology.services, listener.service, &model::Service::name);
    if (service == topology.services.end()) {
      topology.services.push_back({.name = listener.service});
      service = std::prev(topology.services.end());
    }
    if (service->find_interface(listener.interface) == nullptr) {
      service->interfaces.push_back({.name = listener.interface, .protocol = listener.protocol});
      if (listener.sniffs) declare_sniffed(*service, listener.interface);
    }
  }
  return topology;
}

Status LoopProxy::set_rules(const model::RuleSet& rules) {
  const std::lock_guard lock(mutex_);
  if (!running_) return fail(Code::kCancelled, "the proxy has been stopped");
  model::RuleSet wanted = rules;
  for (const Listening& listening : listening_)
    aim_at_sniffed(listening.record->listener(), wanted);
  MISRULE_TRY(auto compiled, rules::RuleSet::compile(wanted, topology(), book_));
  everywhere([&](Shard& shard) { shard.use(compiled); });
  rules_ = std::move(compiled);
  return {};
}

std::vector<model::RuleTally> LoopProxy::tallies() const { return book_.tallies(); }

CutReport LoopProxy::cut(const std::string& consumer, const std::string& service,
                         const std::string& interface) {
  const std::lock_guard lock(mutex_);
  if (!running_) return {};
  std::atomic<std::size_t> count = 0;
  everywhere([&](Shard& shard) { count += shard.cut(consumer, service, interface); });
  return {.connections = count};
}

Result<std::size_t> LoopProxy::release(const std::string& rule) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t tag = book_.tag_of(rule);
  if (tag == 0) return fail(Code::kInvalid, fmt::format("there is no rule '{}'", rule));
  std::atomic<std::size_t> count = 0;
  if (running_) everywhere([&](Shard& shard) { count += shard.release(tag); });
  return count.load();
}

Counters LoopProxy::counters() const {
  Counters sum;
  for (const auto& shard : shards_) {
    const ShardCounts& counts = shard->counts();
    sum.connections_total += counts.connections_total.value();
    sum.connections_open += counts.connections_open.value();
    sum.connections_opaque += counts.connections_opaque.value();
    sum.messages_total += counts.messages_total.value();
    sum.bytes_to_server += counts.bytes_to_server.value();
    sum.bytes_to_client += counts.bytes_to_client.value();
  }
  return sum;
}

std::vector<ConnectionState> LoopProxy::connections(std::size_t count_max) const {
  const std::lock_guard lock(mutex_);
  std::vector<ConnectionState> all;
  if (!running_) return all;
  std::mutex taking;
  everywhere([&](Shard& shard) {
    std::vector<ConnectionState> some = shard.connections(count_max);
    const std::lock_guard one(taking);
    some.resize(std::min(some.size(), count_max - all.size()));
    std::ranges::move(some, std::back_inserter(all));
  });
  return all;
}

void LoopProxy::stop(Duration drain) {
  const TimePoint deadline = clock_.now() + drain;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(running_, false)) {
      everywhere([&](Shard& shard) { shard.drain(deadline); });
      for (Listening& listening : listening_) listening.file.remove();
    } else {
      // Loops that have ended take no jobs any more.
      for (const auto& shard : shards_) {
        shard->loop().post([deadline, loop_shard = shard.get()] { loop_shard->drain(deadline); });
      }
    }
  }
  join();
}

void LoopProxy::join() {
  const std::lock_guard lock(joining_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace misrule::proxy
