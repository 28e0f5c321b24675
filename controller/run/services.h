#pragma once

// The services of a running test: started in order, waited for, brought back after a fault.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/launch/service_plan.h"
#include "controller/observe/service_output.h"
#include "controller/run/activities.h"
#include "controller/run/armed_rules.h"
#include "controller/run/init_link.h"
#include "controller/run/judge.h"
#include "controller/run/watcher.h"
#include "interceptor/interceptor.h"

namespace misrule::controller {

/// Thread-safe.
class Services {
 public:
  struct Parts {
    const std::vector<ServicePlan>& plans;  ///< Dependencies first.
    interceptor::Supervisor& supervisor;
    const ArmedRules& rules;
    model::EventSink& sink;
    Watcher& watcher;
    InitLink& init;
    Activities& activities;
    const std::atomic<bool>& stopping;  ///< Waits end early when it is set.
    std::function<std::set<std::string>(const std::string&)> families = {};
    std::string world_folder = {};
    std::string log_folder = {};
    std::string ca_file = {};  ///< What services trust, besides what they do anyway; or empty.
  };
  explicit Services(Parts parts);
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  /// Starts all; `seed` is called for each once it is ready, before those that depend on it.
  Status start_all(const std::function<Status(const ServicePlan&)>& seed);

  /// Brings back what faults took down and that none holds down any more, and waits for what
  /// recovers.
  Status settle();

  /// Waits until every process that is on its way out has been seen to end: whoever was talking to
  /// it knows already.
  void notice_ends();

  /// Waits are looked at again: something changed (the test is stopping).
  void wake();

  /// At the end: an event and a note for each service that printed more than is recorded.
  void tell_unrecorded();

  /// It runs, and takes connections as far as anybody can tell without one.
  bool is_up(const std::string& service) const;

  /// Where its process runs; empty as long as nobody knows.
  std::string cwd_of(const std::string& service) const;

  const ServicePlan* find_plan(const std::string& service) const;
  std::vector<ServiceExit> exits() const;
  std::vector<std::string> take_notes();

 private:
  struct Running;

  Status start(Running& service);
  Status spawn(Running& service);
  Status wait_ready(Running& service);
  Status await_recovery(Running& service);
  Status settle_one(Running& service);
  Status probe(const Running& service) const;
  void note_line(Running& service, std::string_view line);
  void note_end(Running& service, const ProcessEnd& end);
  void emit_end(const Running& service, const ProcessEnd& end,
                const std::string& explained_by) const;
  void watch_output(Running& service, const char* stream, UniqueFd pipe);
  Error not_ready(Running& service, const std::string& why) const;
  void emit(const Running& service, model::Event event) const;
  void restart_at_once();

  Parts parts_;
  std::mutex starting_ = {};  ///< One start or repair at a time. Taken before mutex_.
  mutable std::mutex mutex_ = {};
  std::condition_variable changed_ = {};
  std::map<std::string, std::unique_ptr<Running>> running_;
  std::list<ServiceOutput> outputs_ = {};
  std::vector<ServiceExit> exits_ = {};
  std::vector<std::string> notes_ = {};
  std::atomic<bool> troubled_ = false;  ///< Something is down or recovering.
  bool ending_ = false;
  std::thread restarter_ = {};  ///< For restart="always"; started with the first such service.
};

}  // namespace misrule::controller
