#pragma once

// Runs the tests of a run one after another, each in a world of its own, and ends everything when
// it is asked to.

#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/run/run.h"
#include "controller/run/worker.h"
#include "controller/run/world/nursery.h"

namespace misrule::controller {

/// SIGINT, SIGTERM and SIGHUP as something to wait for, for as long as this lives.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  int fd() const { return signals_.fd(); }
  /// True if one has come since the last call.
  bool take();

 private:
  UniqueFd signals_;
  sigset_t before_;
};

/// One selected test, or the control that one asks for.
struct SelectedTest {
  std::size_t spec = 0;  ///< In RunContext::specs.
  RunPlan::Test test = {};
  bool is_control = false;
};

/// Single-threaded, so that a nursery that died can be forked again.
class Coordinator {
 public:
  Coordinator(const RunContext& context, const RunPlan& plan, RunObserver& observer)
      : context_(context), plan_(plan), observer_(observer) {}

  /// One report per test that was begun, in order.
  std::vector<model::TestReport> run(const std::vector<SelectedTest>& tests);
  bool interrupted() const { return interrupted_; }
  /// Preparing found out what loading could not: a seed that its server rejects.
  bool spec_is_wrong() const { return spec_is_wrong_; }
  /// The run, if its last world stays.
  const std::string& kept() const { return kept_; }

 private:
  struct Course;

  Status ensure_nursery();
  Status prepare(const SelectedTest& selected);
  model::TestReport run_world(const SelectedTest& selected, bool keep);
  model::TestReport run_test(const SelectedTest& selected, bool keep);
  const model::TestReport& control_of(const SelectedTest& selected);
  Status begin(Course& course, const SelectedTest& selected, bool keep);
  static bool is_kept(const Course& course);
  void follow(Course& course);
  void hear_worker(Course& course);
  void take_line(Course& course, const std::string& line);
  void hear_nursery(Course& course);
  void interrupt(Course& course);
  void kill_world(Course& course);
  model::TestReport conclude(Course& course);
  void tell_finished(const SelectedTest& selected, const model::TestReport& report);

  const RunContext& context_;
  const RunPlan& plan_;
  RunObserver& observer_;
  SignalWatch signals_ = {};
  std::unique_ptr<Nursery> nursery_ = {};
  std::vector<bool> prepared_ = {};
  std::vector<UniqueFd> holds_ = {};  ///< On what was prepared.
  bool spec_is_wrong_ = false;
  std::size_t worlds_ = 0;
  bool interrupted_ = false;
  std::string kept_ = {};
  std::map<std::pair<std::size_t, std::string>, model::TestReport> controls_ = {};
};

}  // namespace misrule::controller
