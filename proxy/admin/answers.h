#pragma once

// What the admin API says: requests to answers, without a socket.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "proxy/admin/event_hub.h"
#include "proxy/admin/live_rules.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

/// What is administered. All of it outlives the API.
struct AdminSubject {
  Proxy& proxy;
  LiveRules& rules;
  EventHub& events;
  const std::atomic<bool>& draining;
};

struct AdminRequest {
  std::string method = {};
  std::string target = {};    ///< With its query.
  std::string if_match = {};  ///< As it came, with its quotes.
  std::string body = {};
};

struct AdminAnswer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::string etag = {};
  std::string allow = {};  ///< With 405: the methods that there are.
};

AdminAnswer error_answer(unsigned status, std::string_view text);

class Metrics;

class AdminAnswers {
 public:
  explicit AdminAnswers(const AdminSubject& subject);
  ~AdminAnswers();
  AdminAnswers(const AdminAnswers&) = delete;
  AdminAnswers& operator=(const AdminAnswers&) = delete;

  AdminAnswer answer(const AdminRequest& request);
  /// A request that was answered elsewhere, for the metrics.
  void count(unsigned status);

 private:
  // Of the loops, by requests that ask them: so many at once, so many per second.
  static constexpr double kInterruptionsMax = 30;
  static constexpr double kInterruptionsPerSecond = 20;
  using Way = AdminAnswer (AdminAnswers::*)(const AdminRequest&);
  static const std::map<std::string_view, std::map<std::string_view, Way>>& ways();

  AdminAnswer route(const AdminRequest& request);
  AdminAnswer index(const AdminRequest& request);
  AdminAnswer health(const AdminRequest& request);
  AdminAnswer version(const AdminRequest& request);
  AdminAnswer read_rules(const AdminRequest& request);
  AdminAnswer write_rules(const AdminRequest& request);
  AdminAnswer rule_stats(const AdminRequest& request);
  AdminAnswer release(const AdminRequest& request);
  AdminAnswer connections(const AdminRequest& request);
  AdminAnswer metrics(const AdminRequest& request);

  bool may_interrupt();

  const AdminSubject subject_;
  const TimePoint started_;
  double interruptions_left_ = kInterruptionsMax;
  TimePoint interrupted_ = {};
  std::unique_ptr<Metrics> metrics_;
};

}  // namespace misrule::proxy
