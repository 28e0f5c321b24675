#pragma once

// What is observed beside the traffic while a test runs.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/launch/service_plan.h"
#include "controller/observe/listener.h"
#include "controller/observe/observer.h"
#include "controller/run/services.h"
#include "spec/dsl/spec.h"

namespace misrule::controller {

/// Thread-safe.
class Observers {
 public:
  struct Parts {
    model::EventSink& sink;
    const Services& services;
    dsl::Spec& spec;  ///< Whose functions are polled.
    TimePoint start = {};
    int interrupt_fd = -1;
  };
  explicit Observers(const Parts& parts) : parts_(parts) {}

  /// Before the service starts: what it leaves behind from then on is observed.
  Status prepare(const ServicePlan& plan);
  /// Of a service that is ready: what it does from now on is observed.
  Status start(const ServicePlan& plan);
  /// What happened before the call is recorded when it returns.
  Status barrier(TimePoint deadline);
  /// No more is observed, and an event for each observer says how far behind it was; the first
  /// failure of an observer itself.
  Status finish();
  std::vector<std::string> notes() const;

 private:
  std::vector<Observer*> all() const;
  void add(std::unique_ptr<Observer> observer);
  void tell_lag(const Observer& observer);
  Status start_wal_stream(const ServicePlan& plan);
  Status start_file(const ServicePlan& plan, const model::WrittenFile& wanted);
  Status start_redis(const ServicePlan& plan);
  Status start_http(const ServicePlan& plan, const model::TailedHttp& wanted);
  /// What every listener on a connection needs to know.
  ListenerParts listener_of(const ServicePlan& plan, std::string name) const;

  Parts parts_;
  mutable std::mutex mutex_ = {};
  std::vector<std::unique_ptr<Observer>> observers_ = {};
};

}  // namespace misrule::controller
