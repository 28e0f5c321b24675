#pragma once

// What a function of the spec returns, asked again and again: an event when it changes.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "controller/observe/observer.h"
#include "controller/run/poll_host.h"
#include "controller/run/services.h"
#include "spec/dsl/spec.h"
#include "spec/model/event.h"

namespace misrule::controller {

class Poller final : public Observer {
 public:
  struct Parts {
    std::string service = {};
    model::PolledValue wanted = {};
    dsl::Spec& spec;
    model::EventSink& sink;
    const Services& services;
  };
  /// Asks once, then on a thread. A function that fails is the test's failure, and ends the asking.
  static std::unique_ptr<Poller> start(Parts parts);
  ~Poller() override;

  Status barrier(TimePoint deadline) override;
  Status status() const override { return {}; }
  Status finish() override;
  ObserverLag lag() const override;
  std::string note() const override;

 private:
  explicit Poller(Parts parts);
  void run();
  bool ask();
  void tell(const std::string& value);

  Parts parts_;
  PollHost host_;
  std::string latest_ = {};  ///< As JSON; empty before the first answer.
  mutable std::mutex mutex_ = {};
  std::condition_variable changed_ = {};
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t events_ = 0;
  std::int64_t longest_ns_ = 0;
  bool failed_ = false;
  bool ending_ = false;
  std::thread thread_ = {};
};

}  // namespace misrule::controller
