#pragma once

// What every source of events beside the proxies and the interceptor can be asked.

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace misrule::controller {

/// What an observer has told so far, and how late.
struct ObserverLag {
  std::string service = {};
  std::string name = {};  ///< As in the spec: "wal_stream", "file(log/app.log)".
  std::uint64_t events = 0;
  std::int64_t lag_max_ns = 0;  ///< From when it happened, as far as the source says, to its event.
};

/// Starting one returns when everything that happens from then on will be told. All calls are
/// thread-safe.
class Observer {
 public:
  Observer() = default;
  virtual ~Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Whatever had happened when this was called is told when it returns. kTimeout: the source does
  /// not answer, or is behind; another error is the observer's own failure.
  virtual Status barrier(TimePoint deadline) = 0;
  /// The observer's own failure: what it tells is not all, and the run cannot be trusted.
  virtual Status status() const = 0;
  /// No more is told; what was made for it is removed.
  virtual Status finish() = 0;

  virtual ObserverLag lag() const = 0;
  /// For people who read the report; empty: nothing worth a line.
  virtual std::string note() const = 0;
};

}  // namespace misrule::controller
