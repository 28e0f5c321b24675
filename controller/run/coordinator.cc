#include "controller/run/coordinator.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "controller/run/judge.h"
#include "controller/run/matrix_judge.h"
#include "controller/run/preparation.h"
#include "controller/run/report_json.h"
#include "controller/run/run_folder.h"
#include "controller/run/visible_paths.h"
#include "controller/run/world/journal.h"
#include "controller/run/world/own_json.h"
#include "controller/run/world/packet.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;

// Together they keep Ctrl-C within two seconds.
constexpr auto kKillAfter = std::chrono::milliseconds(1500);
// A worker that does not answer its own deadline is stuck.
constexpr Duration kStuckAfter = std::chrono::seconds(10);
constexpr Duration kReapedWithin = std::chrono::milliseconds(400);

std::int64_t unix_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

int ms_until(TimePoint when) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - SteadyClock().now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

/// What a worker that was killed did not write itself.
Status complete_log(const std::string& path, SharedLog shared) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!file.valid()) return std::unexpected(errno_error(path, errno));
  return shared.recover(file.fd());
}

}  // namespace

SignalWatch::SignalWatch() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, signal);
  ::sigprocmask(SIG_BLOCK, &wanted, &before_);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

SignalWatch::~SignalWatch() {
  take();  // What has been obeyed must not end the process once it is unblocked.
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalWatch::take() {
  bool any = false;
  signalfd_siginfo signal = {};
  while (::read(signals_.fd(), &signal, sizeof signal) == sizeof signal) any = true;
  return any;
}

/// One test under way.
struct Coordinator::Course {
  const SelectedTest& selected;
  std::string world = {};
  std::string event_log = {};
  UniqueFd lock = {};
  UniqueFd stream = {};
  UniqueFd init = {};  ///< pidfd of the world's PID 1.
  TimePoint started = SteadyClock().now();
  std::int64_t began_unix_ns = unix_now_ns();
  TimePoint kill_at = TimePoint::max();
  std::string unread = {};
  std::optional<model::TestReport> report = {};
  std::string failure = {};  ///< Why there is no world, or no report.
  bool keep = false;
  bool killed = false;
  bool ended = false;
  int status = 0;
};

Status Coordinator::ensure_nursery() {
  if (nursery_) return {};
  MISRULE_TRY(Nursery nursery, Nursery::start([this](WorkerSeat seat) {
                return run_worker(context_, std::move(seat));
              }));
  nursery_ = std::make_unique<Nursery>(std::move(nursery));
  return {};
}

Status Coordinator::begin(Course& course, const SelectedTest& selected, bool keep) {
  const LoadedSpec& spec = context_.specs.at(selected.spec);
  course.world = fmt::format("{}-{}", plan_.run_id, ++worlds_);
  course.keep = keep;
  MISRULE_TRY(const std::string folder,
              make_test_folder(plan_.folder, selected.test.file, selected.test.name));
  course.event_log = folder + "/events.jsonl";
  const UniqueFd events(
      ::open(course.event_log.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_APPEND | O_CLOEXEC, 0644));
  if (!events.valid()) return std::unexpected(errno_error(course.event_log, errno));
  MISRULE_TRY(course.lock, create_world_folder(course.world));
  MISRULE_TRY(SocketPair pair, make_socket_pair(SOCK_STREAM));
  course.stream = std::move(pair.first);
  SharedLog shared = context_.shared_log;
  shared.reset();
  const WorkerOrder work = {.spec = selected.spec,
                            .test = selected.test.name,
                            .is_control = selected.is_control,
                            .log_folder = folder,
                            .start_ns = course.started.time_since_epoch().count(),
                            .keep = keep};
  WorldOrder order = {.id = course.world,
                      .payload = order_to_payload(work),
                      .directory = context_.directory,
                      .visible = visible_paths(spec, plan_.folder, context_.shim_path),
                      .host_network = context_.request.host_network};
  for (const model::Service& service : spec.spec->topology().services) {
    for (const auto& interface : service.interfaces) order.ports.push_back(interface.port);
  }
  return nursery_->order(
      order, {.stream = pair.second.fd(), .events = events.fd(), .folder_lock = course.lock.fd()});
}

void Coordinator::take_line(Course& course, const std::string& line) {
  const Result<json::object> said = read_own_json(line);
  if (!said) return;
  const json::object& object = *said;
  if (const json::value* report = object.if_contains("report")) {
    if (auto parsed = report_from_line(json::serialize(*report))) course.report = *parsed;
  } else if (const json::value* failed = object.if_contains("setup_failed")) {
    course.failure = "the world could not be made: " + std::string(failed->as_string());
  } else if (const json::value* printed = object.if_contains("print")) {
    observer_.spec_printed(printed->as_string());
  } else if (const json::value* phase = object.if_contains("phase")) {
    const json::value* events = object.if_contains("events");
    observer_.test_progress(course.selected.test, phase->as_string(),
                            events == nullptr ? 0 : events->to_number<std::uint64_t>());
  }
}

void Coordinator::hear_worker(Course& course) {
  std::array<char, std::size_t{64} * 1024> buffer;
  const ssize_t got = ::read(course.stream.fd(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) {
    course.stream.reset();
    return;
  }
  course.unread.append(buffer.data(), static_cast<std::size_t>(got));
  for (std::size_t end = 0; (end = course.unread.find('\n')) != std::string::npos;) {
    take_line(course, course.unread.substr(0, end));
    course.unread.erase(0, end + 1);
  }
}

void Coordinator::hear_nursery(Course& course) {
  auto report = nursery_->take_report();
  if (!report || !*report) {
    // With the nursery its worlds end.
    nursery_.reset();
    course.failure = "the nursery, which forks the tests' worlds, was lost";
    course.ended = true;
    return;
  }
  // An order that could not be read has no name: it is the one just given.
  const bool nameless = (*report)->kind == NurseryReport::Kind::kFailed && (*report)->id.empty();
  if ((*report)->id != course.world && !nameless) return;
  switch ((*report)->kind) {
    case NurseryReport::Kind::kStarted:
      course.init = std::move((*report)->pidfd);
      break;
    case NurseryReport::Kind::kFailed:
      course.failure = (*report)->error;
      course.ended = true;
      break;
    case NurseryReport::Kind::kEnded:
      course.status = (*report)->status;
      course.ended = true;
      break;
  }
}

void Coordinator::interrupt(Course& course) {
  const bool again = std::exchange(interrupted_, true);
  const TimePoint now = SteadyClock().now();
  course.kill_at = std::min(course.kill_at, again ? now : now + kKillAfter);
  if (course.stream.valid()) {
    // The worker may be gone already.
    static_cast<void>(write_all(course.stream.fd(), "stop\n").has_value());
  }
  if (course.init.valid()) ::syscall(SYS_pidfd_send_signal, course.init.fd(), SIGTERM, nullptr, 0);
}

/// A test that ended in an error ends its world although it was to be kept.
bool Coordinator::is_kept(const Course& course) {
  return course.keep && is_recorded_kept(course.world);
}

void Coordinator::follow(Course& course) {
  course.kill_at = course.started + context_.request.timeout + kStuckAfter;
  while (!course.ended || course.stream.valid()) {
    if (course.report && is_kept(course)) return;
    std::array<pollfd, 3> waits = {
        {{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
         {.fd = course.ended || !nursery_ ? -1 : nursery_->fd(), .events = POLLIN, .revents = 0},
         {.fd = course.stream.fd(), .events = POLLIN, .revents = 0}}};
    ::poll(waits.data(), waits.size(), ms_until(course.kill_at));
    if (waits[2].revents != 0) hear_worker(course);
    if (waits[1].revents != 0) hear_nursery(course);
    if (waits[0].revents != 0 && signals_.take()) interrupt(course);
    if (SteadyClock().now() >= course.kill_at) kill_world(course);
  }
}

void Coordinator::kill_world(Course& course) {
  if (course.init.valid() && !std::exchange(course.killed, true)) {
    ::syscall(SYS_pidfd_send_signal, course.init.fd(), SIGKILL, nullptr, 0);
    course.kill_at = SteadyClock().now() + (interrupted_ ? kReapedWithin : kStuckAfter);
    return;
  }
  // Nobody says that there is a world, or that it has ended. With the nursery its worlds end.
  if (nursery_) nursery_->kill();
  nursery_.reset();
  course.stream.reset();
  course.ended = true;
  course.failure = "the nursery, which forks the tests' worlds, does not answer";
}

model::TestReport Coordinator::conclude(Course& course) {
  if (course.report) return *std::move(course.report);
  model::TestReport report = {.outcome = model::Outcome::kError};
  report.took = SteadyClock().now() - course.started;
  if (interrupted_) {
    report.outcome = model::Outcome::kInterrupted;
    report.findings.push_back({.message = "interrupted"});
    return report;
  }
  model::Finding finding = finding_of_text(course.failure);
  if (finding.message.empty()) {
    finding.message =
        course.status > 128
            ? fmt::format("the test's worker was killed by signal {}", course.status - 128)
            : fmt::format("the test's worker ended with status {} and no verdict", course.status);
    finding.hint = "what it saw until then is in the event log";
  }
  EventLog log(UniqueFd(::open(course.event_log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)),
               context_.shared_log, course.started);
  model::Event lost = {.service = "test", .type = "lifecycle"};
  lost.set("action", std::string("worker_lost")).set("detail", finding.message);
  log.emit(std::move(lost));
  report.findings.push_back(std::move(finding));
  report.events_total = context_.shared_log.reserved();
  return report;
}

model::TestReport Coordinator::run_world(const SelectedTest& selected, bool keep) {
  Course course = {.selected = selected};
  Status begun = prepare(selected);
  if (begun) begun = ensure_nursery();
  if (begun) begun = begin(course, selected, keep);
  if (begun) {
    follow(course);
  } else {
    course.failure = begun.error().what;
  }
  const bool is_alive = course.report && is_kept(course);
  const bool is_over = begun.has_value() && !is_alive;
  const Status whole = is_over ? complete_log(course.event_log, context_.shared_log) : Status();
  model::TestReport report = conclude(course);
  if (!whole) report.notes.push_back("the event log is not whole: " + whole.error().what);
  report.test = selected.test.name;
  report.description = selected.test.description;
  report.spec = selected.test.file;
  report.cell = selected.test.cell;
  report.event_log = course.event_log;
  report.began_unix_ns = course.began_unix_ns;
  if (is_alive) {
    kept_ = plan_.run_id;
  } else {
    remove_world_folder(course.world);
  }
  return report;
}

/// Once for all tests that it stands for.
const model::TestReport& Coordinator::control_of(const SelectedTest& selected) {
  const auto key = std::pair(selected.spec, selected.test.control);
  const auto known = controls_.find(key);
  if (known != controls_.end()) return known->second;
  const SelectedTest control = {.spec = selected.spec,
                                .test = {.file = selected.test.file, .name = selected.test.control},
                                .is_control = true};
  observer_.test_progress(selected.test, "the control, without faults", 0);
  return controls_.emplace(key, run_world(control, false)).first->second;
}

/// A test whose control does not hold says nothing about its fault, and does not run.
model::TestReport Coordinator::run_test(const SelectedTest& selected, bool keep) {
  if (selected.test.control.empty()) return run_world(selected, keep);
  const model::TestReport& control = control_of(selected);
  if (control.outcome != model::Outcome::kPassed) {
    return report_without_control(control, selected.test);
  }
  model::TestReport report = run_world(selected, keep);
  report.control = control_report(control);
  report.notes.push_back(control_note(control));
  return report;
}

Status Coordinator::prepare(const SelectedTest& selected) {
  prepared_.resize(context_.specs.size());
  if (prepared_[selected.spec]) return {};
  const auto progress = [&](std::string_view what) {
    observer_.test_progress(selected.test, what, 0);
  };
  auto holds = prepare_services(context_.specs[selected.spec].plans, signals_.fd(), progress);
  if (holds) {
    std::ranges::move(*holds, std::back_inserter(holds_));
    prepared_[selected.spec] = true;
    return {};
  }
  if (holds.error().code == Code::kCancelled) {
    interrupted_ = signals_.take();
    sweep_unfinished_caches();
  }
  if (holds.error().code == Code::kInvalid) spec_is_wrong_ = true;
  return std::unexpected(std::move(holds).error());
}

void Coordinator::tell_finished(const SelectedTest& selected, const model::TestReport& report) {
  std::vector<model::Event> story;
  if (!report.story.empty()) {
    std::map<std::uint64_t, model::Event> by_number;
    if (auto events = read_event_log(report.event_log)) {
      for (model::Event& event : *events) by_number.emplace(event.number, std::move(event));
    }
    for (const std::uint64_t number : report.story) {
      const auto found = by_number.find(number);
      if (found != by_number.end()) story.push_back(found->second);
    }
  }
  observer_.test_finished(selected.test, report, story);
}

std::vector<model::TestReport> Coordinator::run(const std::vector<SelectedTest>& tests) {
  std::vector<model::TestReport> reports;
  for (std::size_t at = 0; at < tests.size() && !interrupted_; ++at) {
    if (signals_.take()) {
      interrupted_ = true;
      break;
    }
    const bool keep = context_.request.keep && at + 1 == tests.size();
    observer_.test_started(tests[at].test);
    reports.push_back(run_test(tests[at], keep));
    tell_finished(tests[at], reports.back());
  }
  for (const std::size_t at : fail_silent_faults(reports)) {
    observer_.test_revised(tests[at].test, reports[at]);
  }
  return reports;
}

}  // namespace misrule::controller
