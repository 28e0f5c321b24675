#pragma once

// What is observed beside the traffic while a test runs.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/launch/service_plan.h"
#include "controller/observe/wal_stream.h"
#include "controller/run/services.h"

namespace misrule::controller {

/// Thread-safe.
class Observers {
 public:
  struct Parts {
    model::EventSink& sink;
    const Services& services;
    TimePoint start = {};
    int interrupt_fd = -1;
  };
  explicit Observers(const Parts& parts) : parts_(parts) {}

  /// Of a service that is ready: what it does from now on is observed.
  Status start(const ServicePlan& plan);
  /// What happened before the call is recorded when it returns.
  Status barrier(TimePoint deadline);
  /// No more is observed; the first failure of an observer itself.
  Status finish();
  std::vector<std::string> notes() const;

 private:
  std::vector<WalStream*> all() const;

  Parts parts_;
  mutable std::mutex mutex_ = {};
  std::vector<std::unique_ptr<WalStream>> streams_ = {};
};

}  // namespace misrule::controller
