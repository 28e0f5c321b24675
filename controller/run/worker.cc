#include "controller/run/worker.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "controller/compile/rules_file.h"
#include "controller/events/trace_context.h"
#include "controller/run/file_rules.h"
#include "controller/run/judge.h"
#include "controller/run/poll_host.h"
#include "controller/run/report_bounds.h"
#include "controller/run/report_json.h"
#include "controller/run/sql_seed.h"
#include "controller/run/story.h"
#include "controller/run/world/journal.h"
#include "controller/run/world/own_json.h"
#include "controller/run/world/packet.h"
#include "controller/run/world/spawn.h"
#include "controller/run/world_host.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;

constexpr std::size_t kPrintedLineMax = std::size_t{64} * 1024;

/// Everything of one test, in the order in which it is made; destroyed the other way round.
class Worker {
 public:
  Worker(const RunContext& context, WorkerSeat seat, WorkerOrder order);

  void run();

 private:
  void print(std::string_view line);
  Status build();
  Result<std::string> show_authority() const;
  Status run_body();
  Status seed(const ServicePlan& plan);
  Status reset(const ServicePlan& plan);
  std::vector<model::Rule> own_file_rules() const;
  Result<dsl::ArmId> arm_file_rules();
  /// Empty unless steps are to hand one on.
  std::string trace_id() const {
    return context_.request.trace ? trace_id_of(order_.log_folder) : std::string();
  }
  std::set<std::string> families_of(const std::string& service);
  void stop(Stop reason);
  void tell_phase(const std::string& what);
  void tell(const json::object& line);
  void tell_line(const std::string& line);
  bool hear_coordinator();
  model::TestReport report();
  TestCourse course();

  const RunContext& context_;
  WorkerSeat seat_;
  WorkerOrder order_;
  dsl::Spec& spec_;
  TimePoint start_;

  std::mutex telling_ = {};
  std::atomic<bool> stopping_ = false;
  std::atomic<Stop> stop_ = Stop::kNone;
  std::mutex stopped_with_ = {};
  std::string pending_ = {};
  bool awaiting_ = false;
  UniqueFd interrupt_ = {};
  Status infrastructure_ = {};
  std::optional<dsl::BodyResult> body_ = {};

  Activities activities_;
  EventLog log_;
  Watcher watcher_ = {};
  InitLink init_;
  std::unique_ptr<proxy::Proxy> proxy_ = {};
  std::unique_ptr<Routes> routes_ = {};
  std::unique_ptr<interceptor::Supervisor> supervisor_ = {};
  std::unique_ptr<ArmedRules> rules_ = {};
  std::unique_ptr<Services> services_ = {};
  std::unique_ptr<Observers> observers_ = {};
  std::unique_ptr<WorldHost> host_ = {};
};

Worker::Worker(const RunContext& context, WorkerSeat seat, WorkerOrder order)
    : context_(context),
      seat_(std::move(seat)),
      order_(std::move(order)),
      spec_(*context.specs.at(order_.spec).spec),
      start_(Duration(order_.start_ns)),
      interrupt_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      activities_([this](const std::string& what) { tell_phase(what); }),
      log_(std::move(seat_.events), context.shared_log, start_),
      init_(std::move(seat_.init), watcher_) {}

void Worker::tell_line(const std::string& line) {
  const std::scoped_lock lock(telling_);
  // Without a coordinator this world is ending already.
  static_cast<void>(write_all(seat_.coordinator.fd(), line + "\n").has_value());
}

void Worker::tell(const json::object& line) { tell_line(json::serialize(line)); }

void Worker::tell_phase(const std::string& what) {
  tell({{"phase", what}, {"events", log_.size()}});
}

bool Worker::hear_coordinator() {
  std::array<char, 256> line;
  const ssize_t got = ::read(seat_.coordinator.fd(), line.data(), line.size());
  if (got > 0) stop(Stop::kInterrupt);
  return got > 0;
}

void Worker::stop(Stop reason) {
  {
    const std::scoped_lock lock(stopped_with_);
    if (stop_ != Stop::kNone) return;
    pending_ = activities_.text();
    awaiting_ = host_ != nullptr && host_->is_awaiting_event();
    stop_ = reason;
  }
  stopping_ = true;
  ::eventfd_write(interrupt_.fd(), 1);
  spec_.cancel(reason == Stop::kDeadline ? "the deadline passed" : "the run was interrupted");
  model::Event event = {.service = std::string(kTestConsumer), .type = "lifecycle"};
  event.set("action", std::string(reason == Stop::kDeadline ? "deadline" : "interrupted"));
  log_.emit(std::move(event));
  const std::scoped_lock lock(stopped_with_);
  if (services_) services_->wake();
}

/// A live line may stand on the terminal: the coordinator knows, so it prints.
void Worker::print(std::string_view line) {
  tell({{"print", cut_in_the_middle(line, kPrintedLineMax)}});
}

/// Services of any user may read it where the world has it, wherever the run's folder lies.
Result<std::string> Worker::show_authority() const {
  if (context_.authority_folder.empty()) return std::string();
  std::string shown = "/run/misrule-ca.pem";
  std::error_code problem;
  std::filesystem::copy_file(context_.authority_folder + "/ca.pem", shown,
                             std::filesystem::copy_options::overwrite_existing, problem);
  if (problem) return fail(Code::kIo, fmt::format("writing {}: {}", shown, problem.message()));
  return shown;
}

Status Worker::build() {
  const model::Topology& topology = spec_.topology();
  const auto passes = [this](std::string_view from, std::string_view to) { log_.passes(from, to); };
  MISRULE_TRY(proxy_, proxy::Proxy::start({.sink = log_,
                                           .passes = passes,
                                           .seed = context_.request.seed,
                                           .start = SteadyClock().now(),
                                           .authority_folder = context_.authority_folder}));
  MISRULE_TRY(const std::string ca_file, show_authority());
  MISRULE_TRY(routes_, Routes::make(topology, *proxy_));
  MISRULE_TRY(supervisor_, interceptor::Supervisor::start({.sink = log_,
                                                           .router = *routes_,
                                                           .topology = topology,
                                                           .seed = context_.request.seed,
                                                           .shim_path = context_.shim_path}));
  rules_ = std::make_unique<ArmedRules>(ArmedRules::Parts{.topology = topology,
                                                          .proxy = *proxy_,
                                                          .supervisor = *supervisor_,
                                                          .sink = log_,
                                                          .describe = &describe_rule});
  auto services = std::make_unique<Services>(Services::Parts{
      .plans = context_.specs.at(order_.spec).plans,
      .supervisor = *supervisor_,
      .rules = *rules_,
      .sink = log_,
      .watcher = watcher_,
      .init = init_,
      .activities = activities_,
      .stopping = stopping_,
      .families = [this](const std::string& service) { return families_of(service); },
      .world_folder = world_data_folder(seat_.order.id),
      .log_folder = order_.log_folder,
      .ca_file = ca_file});
  observers_ = std::make_unique<Observers>(Observers::Parts{.sink = log_,
                                                            .services = *services,
                                                            .spec = spec_,
                                                            .start = start_,
                                                            .interrupt_fd = interrupt_.fd()});
  auto host = std::make_unique<WorldHost>(WorldHost::Parts{.log = log_,
                                                           .proxy = *proxy_,
                                                           .routes = *routes_,
                                                           .rules = *rules_,
                                                           .services = *services,
                                                           .watcher = watcher_,
                                                           .observers = *observers_,
                                                           .activities = activities_,
                                                           .interrupt_fd = interrupt_.fd(),
                                                           .trace_id = trace_id(),
                                                           .seed = context_.request.seed,
                                                           .log_folder = order_.log_folder});
  // A deadline or an interrupt may look at them from the watcher's thread.
  const std::scoped_lock lock(stopped_with_);
  services_ = std::move(services);
  host_ = std::move(host);
  return {};
}

Status Worker::seed(const ServicePlan& plan) {
  const auto& wanted = plan.service.seed;
  // A stand-in's cluster already has what its SQL file makes.
  if (!wanted || (!wanted->callable && plan.stand_in != nullptr)) return {};
  const auto activity = activities_.begin("seeding " + plan.service.name);
  auto seeded = wanted->callable ? spec_.run_seed(*wanted->callable, *host_)
                                 : run_sql_seed(plan, "seed", wanted->sql_file, interrupt_.fd());
  if (!seeded)
    return std::unexpected(std::move(seeded).error().with("seeding " + plan.service.name));
  return {};
}

/// What earlier tests left outside of their worlds, or in a server that runs elsewhere.
Status Worker::reset(const ServicePlan& plan) {
  const auto& wanted = plan.service.reset;
  if (!wanted) return {};
  const auto activity = activities_.begin("resetting " + plan.service.name);
  ResetHost host(*services_, interrupt_.fd());
  Status done = wanted->callable ? spec_.run_reset(*wanted->callable, host)
                                 : run_sql_seed(plan, "reset", wanted->sql_file, interrupt_.fd());
  if (done) done = host.outcome();
  if (!done) return std::unexpected(std::move(done).error().with("resetting " + plan.service.name));
  return {};
}

std::vector<model::Rule> Worker::own_file_rules() const {
  std::vector<model::Rule> rules =
      file_rules_of(context_.rules, context_.specs.at(order_.spec).file, order_.test);
  // What `compile` printed of a rule that the spec declares is that rule, not a second one.
  const auto test = std::ranges::find(spec_.tests(), order_.test, &dsl::Test::name);
  if (test == spec_.tests().end()) return rules;
  std::erase_if(rules, [&](const model::Rule& rule) {
    return std::ranges::any_of(test->declared,
                               [&](const model::Rule& own) { return own.id() == rule.id(); });
  });
  return rules;
}

std::set<std::string> Worker::families_of(const std::string& service) {
  std::set<std::string> families = spec_.families_of(service);
  for (const model::Rule& rule : own_file_rules()) {
    const bool concerns = rule.has_syscall() && rule.target().service() == service;
    if (concerns) families.insert(rule.syscall().family());
  }
  return families;
}

Result<dsl::ArmId> Worker::arm_file_rules() {
  std::vector<model::Rule> rules = own_file_rules();
  if (rules.empty()) return dsl::ArmId{0};
  return host_->arm(std::move(rules));
}

Status Worker::run_body() {
  MISRULE_TRY_VOID(build());
  for (const ServicePlan& plan : context_.specs.at(order_.spec).plans) {
    MISRULE_TRY_VOID(observers_->prepare(plan));
  }
  MISRULE_TRY_VOID(services_->start_all([this](const ServicePlan& plan) -> Status {
    MISRULE_TRY_VOID(seed(plan));
    MISRULE_TRY_VOID(reset(plan));
    return observers_->start(plan);
  }));
  MISRULE_TRY(const dsl::ArmId armed, arm_file_rules());
  tell_phase("running");
  body_ = order_.is_control ? spec_.run_control(order_.test, *host_)
                            : spec_.run_test(order_.test, *host_);
  if (armed != 0) MISRULE_TRY_VOID(host_->disarm(armed));
  services_->notice_ends();
  static_cast<void>(host_->barrier(std::chrono::seconds(1)).has_value());
  MISRULE_TRY_VOID(observers_->finish());
  for (model::Finding& finding : spec_.take_poll_failures()) {
    body_->violations.push_back(std::move(finding));
  }
  return log_.status();
}

TestCourse Worker::course() {
  TestCourse course = {
      .infrastructure = infrastructure_, .body = body_, .deadline = context_.request.timeout};
  {
    const std::scoped_lock lock(stopped_with_);
    course.stop = stop_;
    course.pending = pending_;
    course.awaiting_event = awaiting_;
  }
  // A start that was given up because the test is stopping is no failure of its own.
  if (course.stop != Stop::kNone) course.infrastructure = {};
  const auto test = std::ranges::find(spec_.tests(), order_.test, &dsl::Test::name);
  if (test != spec_.tests().end() && !order_.is_control) {
    course.is_cell = test->cell.has_value();
    course.has_oracle = test->has_oracle;
  }
  if (services_) course.exits = services_->exits();
  if (rules_) course.rules = rules_->reports();
  for (model::RuleReport& rule : course.rules) {
    rule.source_line = spec_.source_line(rule.position);
  }
  return course;
}

model::TestReport Worker::report() {
  const TestCourse how = course();
  Judgement judgement = judge(how);
  model::TestReport report = {.test = order_.test,
                              .outcome = judgement.outcome,
                              .took = SteadyClock().now() - start_,
                              .findings = std::move(judgement.findings),
                              .rules = how.rules};
  if (services_) {
    services_->tell_unrecorded();
    report.notes = services_->take_notes();
  }
  if (observers_) {
    for (std::string& note : observers_->notes()) report.notes.push_back(std::move(note));
  }
  if (host_) report.attachments = host_->attachments();
  for (std::string& note : spec_.take_notes()) report.notes.push_back(std::move(note));
  const std::vector<EventPtr> events = log_.ordered();
  report.events_total = events.size();
  if (report.outcome != model::Outcome::kPassed || context_.request.all_stories) {
    report.story = select_story(events, report.findings);
  }
  bound_report(report);
  return report;
}

void Worker::run() {
  if (const PrintTarget& target = context_.specs.at(order_.spec).print) {
    *target = [this](std::string_view line) { print(line); };
  }
  watcher_.watch(seat_.coordinator.fd(), [this] { return hear_coordinator(); });
  watcher_.call_at(start_ + context_.request.timeout, [this] { stop(Stop::kDeadline); });
  infrastructure_ = run_body();
  const bool wanted = order_.keep && infrastructure_ && stop_ != Stop::kInterrupt;
  const bool kept = wanted && init_.keep_world().has_value();
  // What comes now (an exit, a late deadline) is no longer the test's.
  tell_line(fmt::format(R"({{"report":{}}})", report_to_line(report())));
  if (!kept) return;
  static_cast<void>(rules_->disarm_all().has_value());
  std::fflush(nullptr);
  detach_output();
  while (true) ::pause();
}

}  // namespace

std::string order_to_payload(const WorkerOrder& order) {
  return json::serialize(json::object{{"spec", order.spec},
                                      {"test", order.test},
                                      {"is_control", order.is_control},
                                      {"log_folder", order.log_folder},
                                      {"start_ns", order.start_ns},
                                      {"keep", order.keep}});
}

Result<WorkerOrder> order_from_payload(const std::string& text) {
  MISRULE_TRY(const json::object object, read_own_json(text));
  return WorkerOrder{.spec = object.at("spec").to_number<std::size_t>(),
                     .test = std::string(object.at("test").as_string()),
                     .is_control = object.at("is_control").as_bool(),
                     .log_folder = std::string(object.at("log_folder").as_string()),
                     .start_ns = object.at("start_ns").to_number<std::int64_t>(),
                     .keep = object.at("keep").as_bool()};
}

int run_worker(const RunContext& context, WorkerSeat seat) {
  Result<WorkerOrder> order = order_from_payload(seat.order.payload);
  if (!order || order->spec >= context.specs.size()) return 1;
  // Never destroyed: PID 1 ends everything at once when this process exits, while tearing down in
  // order would wait for services that nobody needs any more.
  auto* worker = new Worker(context, std::move(seat), *std::move(order));
  worker->run();
  return 0;
}

}  // namespace misrule::controller
