#pragma once

// Services under the real interceptor, for tests: one supervisor, routes by port, captured output.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/unique_fd.h"
#include "interceptor/interceptor.h"
#include "spec/model/event.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::interceptor {

class RecordingSink final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override;
  std::vector<model::Event> of_type(std::string_view type) const;

 private:
  mutable std::mutex mutex_;
  std::vector<model::Event> events_;
};

std::string text_of(const model::Event& event, std::string_view field);

/// Routes by destination port; changes only while no service runs.
class PortRouter final : public ConnectRouter {
 public:
  /// Connects to `port` go to `to_port` of the loopback instead; both families.
  void redirect(std::uint16_t port, std::uint16_t to_port, const std::string& service);
  void refuse(std::uint16_t port, int error, const std::string& service);

  Route lookup(std::string_view consumer, const sockaddr_storage& destination) override;
  Route open(std::string_view consumer, const sockaddr_storage& destination) override;
  /// The connections of an observer whose own port this is; at any time.
  void observe(std::uint16_t observers_port) { observers_port_ = observers_port; }
  bool is_observer(const SocketEnds& ends) override;
  unsigned opened() const { return opened_; }

 private:
  struct Entry {
    Route route;
    std::uint16_t to_port = 0;
  };
  std::map<std::uint16_t, Entry> entries_;
  unsigned opened_ = 0;
  std::atomic<std::uint16_t> observers_port_ = 0;
};

struct Ended {
  int exit_code = -1;  ///< Of an ordinary exit.
  int signal = 0;
  std::string output;  ///< stdout and stderr.
};

/// A started service; ended (and its output read) by wait(), killed if it was not waited for.
class Running {
 public:
  Running(pid_t pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}
  Running(Running&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  ~Running();

  pid_t pid() const { return pid_; }
  Ended wait();
  /// Output up to the next newline; empty at its end.
  std::string read_line();

 private:
  pid_t pid_;
  UniqueFd output_;
};

struct ServiceRun {
  std::vector<std::string> argv;
  std::set<std::string> families = {};
  std::string user = {};
  std::string directory = {};
  std::string service = "api";
};

/// Topology: "api" (http, 8080) and "db" (postgres, 5432).
class Bench {
 public:
  Bench();
  ~Bench();

  Result<Running> start(const ServiceRun& run);
  Ended run(const ServiceRun& run);
  void arm(const std::vector<model::Rule>& rules);
  Status try_arm(const std::vector<model::Rule>& rules);
  model::RuleTally tally(const std::string& rule) const;

  RecordingSink sink;
  PortRouter router;
  model::Topology topology;
  std::unique_ptr<Supervisor> supervisor;
};

/// A rule of the service "api", without trigger or action.
model::Rule rule_on(const std::string& id, const std::string& family, const std::string& path = {});
model::Rule deny(model::Rule rule, const std::string& error);
model::Rule delay(model::Rule rule, std::uint64_t milliseconds);

std::string program(const std::string& name);
/// A new empty folder below /var/lib/misrule, removed by the destructor.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A listening TCP socket on the loopback of both families that accepts and greets with `word`.
class GreetingServer {
 public:
  explicit GreetingServer(const std::string& word);
  ~GreetingServer();
  std::uint16_t port() const { return port_; }
  unsigned accepted() const { return accepted_; }

 private:
  void serve(const std::string& word);
  UniqueFd listener_;
  UniqueFd stop_;
  std::uint16_t port_ = 0;
  std::atomic<unsigned> accepted_ = 0;
  std::thread thread_;
};

}  // namespace misrule::interceptor
