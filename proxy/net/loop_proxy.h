#pragma once

// The proxy of proxy.h: loops with a thread each, and the listeners and rules that they share.

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/net/cancel_keys.h"
#include "proxy/net/listener_record.h"
#include "proxy/net/node_routes.h"
#include "proxy/net/shard.h"
#include "proxy/net/unix_sockets.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

class Authority;

class LoopProxy final : public Proxy {
 public:
  explicit LoopProxy(const Options& options);
  ~LoopProxy() override;
  LoopProxy(const LoopProxy&) = delete;
  LoopProxy& operator=(const LoopProxy&) = delete;

  /// Once.
  void run();

  Result<ListenerId> add_listener(const Listener& listener) override;
  Endpoint listening_at(ListenerId listener) const override;
  Status open_upstream(ListenerId listener, int* error_number) override;
  Status set_rules(const model::RuleSet& rules) override;
  std::vector<model::RuleTally> tallies() const override;
  Result<std::size_t> release(const std::string& rule) override;
  CutReport cut(const std::string& consumer, const std::string& service,
                const std::string& interface) override;
  Counters counters() const override;
  std::vector<ConnectionState> connections(std::size_t count_max) const override;
  void stop(Duration drain) override;

 private:
  struct Listening {
    std::shared_ptr<ListenerRecord> record;
    Endpoint at = {};
    SocketFile file = {};
  };
  /// Runs it in every loop, and returns when all have.
  void everywhere(const std::function<void(Shard&)>& job) const;
  void join();
  model::Topology topology() const;
  /// Who signs certificates; null if nobody can. Loaded when it is first asked for.
  Result<const Authority*> authority();

  const Options options_;
  SteadyClock clock_;
  rules::RuleBook book_;
  CancelKeys cancel_keys_;
  NodeRoutes routes_;
  mutable std::mutex mutex_;  // Guards listening_, rules_ and running_; one change at a time.
  std::unique_ptr<Authority> authority_;
  std::vector<Listening> listening_;
  std::shared_ptr<const rules::RuleSet> rules_;
  bool running_ = false;
  std::mutex joining_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
};

}  // namespace misrule::proxy
