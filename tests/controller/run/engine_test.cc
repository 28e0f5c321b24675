// The whole engine with a spec that is C++ instead of Starlark: a real PostgreSQL, a Python
// service, the proxies and the interceptor, each fault with its control without the fault.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "controller/launch/native/stand_in.h"
#include "controller/run/coordinator.h"
#include "controller/run/run_folder.h"
#include "controller/run/world/journal.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

using Body = std::function<dsl::BodyResult(dsl::TestHost&, const std::atomic<bool>& cancelled)>;

dsl::BodyResult passed() { return {.completed = true}; }
dsl::BodyResult failed(const std::string& why) {
  return {.finding = model::Finding{.message = why}};
}

/// A spec whose test bodies are C++.
class BodySpec final : public dsl::Spec {
 public:
  const std::string& path() const override { return path_; }
  const model::Topology& topology() const override { return topology_; }
  const std::vector<dsl::Test>& tests() const override { return tests_; }
  const std::vector<dsl::Problem>& notes() const override { return notes_; }
  std::string source_line(const model::SourcePosition&) const override { return {}; }
  std::set<std::string> families_of(const std::string&) const override { return families; }
  Status run_seed(std::size_t, dsl::TestHost&) override { return {}; }
  Status run_reset(std::size_t, dsl::TestHost&) override { return {}; }
  Result<std::string> run_poll(std::size_t, dsl::TestHost&) override { return "null"; }
  std::vector<model::Finding> take_poll_failures() override { return {}; }
  dsl::BodyResult run_test(const std::string& name, dsl::TestHost& host) override {
    return bodies.at(name)(host, cancelled_);
  }
  dsl::BodyResult run_control(const std::string& name, dsl::TestHost& host) override {
    return run_test(name, host);
  }
  void cancel(const std::string&) override { cancelled_ = true; }
  std::vector<std::string> take_notes() override { return {}; }

  model::Topology topology_ = {};
  std::map<std::string, Body> bodies = {};
  std::set<std::string> families = {"write", "read"};

 private:
  std::string path_ = "engine.star";
  std::vector<dsl::Test> tests_ = {};
  std::vector<dsl::Problem> notes_ = {};
  std::atomic<bool> cancelled_ = false;
};

class SilentObserver final : public RunObserver {
 public:
  void spec_rejected(const SpecProblem&) override {}
  void planned(const RunPlan&) override {}
  void test_started(const RunPlan::Test&) override {}
  void test_progress(const RunPlan::Test&, std::string_view phase, std::uint64_t) override {
    phases.emplace_back(phase);
    if (on_progress) on_progress(phases.back());
  }
  void spec_printed(std::string_view) override {}
  void test_finished(const RunPlan::Test&, const model::TestReport&,
                     const std::vector<model::Event>& told) override {
    story = told;
  }
  std::vector<std::string> phases = {};
  std::vector<model::Event> story = {};
  std::function<void(const std::string&)> on_progress = {};
};

// GET /db connects to the database's port and says how that went.
constexpr const char* kApi = R"(
import errno, http.server, os, socket, sys
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body, status = b"ok", 200
        if self.path == "/db":
            try:
                with socket.create_connection(("localhost", 5432), timeout=2) as s:
                    s.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
                    body = b"answered " + s.recv(1)
            except OSError as e:
                status, body = 503, errno.errorcode.get(e.errno, str(e)).encode()
        if self.path == "/exit":
            os._exit(7)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)
print('{"action": "listening"}', flush=True)
http.server.ThreadingHTTPServer(("", 8080), Api).serve_forever()
)";

model::Service postgres_service() {
  return {.name = "db",
          .interfaces = {{.name = "main", .protocol = model::Protocol::kPostgres, .port = 5432}},
          .image = "postgres:16",
          .env = {{"POSTGRES_PASSWORD", "test"}},
          .healthcheck = {.kind = model::Healthcheck::Kind::kTcp, .port = 5432}};
}

model::Service api_service() {
  return {.name = "api",
          .interfaces = {{.name = "public", .protocol = model::Protocol::kHttp, .port = 8080}},
          .binary = "/usr/bin/python3",
          .args = {"-c", kApi},
          .depends_on = {},
          .healthcheck = {.kind = model::Healthcheck::Kind::kHttp, .port = 8080, .path = "/"}};
}

dsl::StepCall get(const std::string& path) {
  return {.service = "api", .interface = "public", .step = dsl::HttpStep{"GET", path}};
}
dsl::StepCall sql(const std::string& text) {
  return {.service = "db",
          .interface = "main",
          .step = dsl::SqlStep{.sql = text, .wants_rows = text.starts_with("SELECT")}};
}

model::Rule deny(const std::string& service, const std::string& family, const std::string& error) {
  model::Rule rule;
  rule.set_id(family + "-" + error);
  rule.mutable_target()->set_service(service);
  rule.mutable_syscall()->set_family(family);
  rule.mutable_deny()->set_error(error);
  return rule;
}

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    folder_ = fs::path("/tmp") / fmt::format("misrule-engine-{}", ::getpid());
    fs::create_directories(folder_);
    auto spec = std::make_unique<BodySpec>();
    spec_ = spec.get();
    loaded_.push_back({.file = MISRULE_SOURCE_DIR "/tests/engine.star", .spec = std::move(spec)});
  }
  void TearDown() override {
    if (!HasFailure() && std::getenv("MISRULE_KEEP_RUNS") == nullptr) fs::remove_all(folder_);
  }

  void use(std::vector<model::Service> services) {
    for (const auto& service : services) {
      const bool missing = !service.image.empty() &&
                           !native::find_stand_in(service.image)->find_server().has_value();
      if (missing) GTEST_SKIP() << "no local server for " << service.image;
    }
    spec_->topology_.services = std::move(services);
    auto plans = plan_services(spec_->topology_, {.spec_file = loaded_[0].file});
    ASSERT_TRUE(plans.has_value()) << plans.error().what;
    loaded_[0].plans = *std::move(plans);
  }

  model::TestReport run(Body body, Duration timeout = std::chrono::seconds(60)) {
    spec_->bodies["test_it"] = std::move(body);
    RunPlan plan = {.run_id = make_run_id() + fmt::format("-{}", ++runs_)};
    plan.folder = *make_run_folder(folder_, plan.run_id);
    auto shared_log = SharedLog::create();
    const RunContext context = {.request = {.timeout = timeout},
                                .specs = std::move(loaded_),
                                .shared_log = *std::move(shared_log),
                                .shim_path = MISRULE_BINARY_DIR "/bin/misrule-shim"};
    Coordinator coordinator(context, plan, observer_);
    auto reports =
        coordinator.run({{.spec = 0, .test = {.file = "engine.star", .name = "test_it"}}});
    interrupted_ = coordinator.interrupted();
    EXPECT_EQ(reports.size(), 1U);
    auto events = read_event_log(reports[0].event_log);
    if (events) events_ = *std::move(events);
    return reports[0];
  }

  std::size_t count(const std::string& type, const std::string& field, const std::string& value) {
    return static_cast<std::size_t>(std::ranges::count_if(events_, [&](const model::Event& event) {
      const model::Field* found = event.find(field);
      return event.type == type && found != nullptr && model::field_text(*found) == value;
    }));
  }

  fs::path folder_;
  BodySpec* spec_ = nullptr;
  std::vector<LoadedSpec> loaded_;
  SilentObserver observer_;
  std::vector<model::Event> events_;
  bool interrupted_ = false;
  int runs_ = 0;
};

std::string told(const model::TestReport& report) {
  std::string text = std::string(model::outcome_name(report.outcome));
  for (const model::Finding& finding : report.findings) {
    text += "\n" + finding.message;
    for (const std::string& line : finding.detail) text += "\n  " + line;
  }
  return text;
}

TEST_F(EngineTest, StepsPassTheProxyAndAreRecorded) {
  use({api_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    const dsl::StepReply reply = host.step(get("/"));
    return reply.ok && reply.body == "ok" ? passed() : failed(reply.error);
  });
  EXPECT_EQ(report.outcome, model::Outcome::kPassed) << told(report);
  EXPECT_EQ(count("step_send", "path", "/"), 1U);
  EXPECT_EQ(count("step_recv", "status", "200"), 1U);
  EXPECT_EQ(count("proxy", "path", "/"), 1U);
  EXPECT_EQ(count("stdout", "action", "listening"), 1U);
  EXPECT_EQ(count("lifecycle", "action", "ready"), 1U);
}

TEST_F(EngineTest, ARefusedConnectIsWhatTheServiceSees) {
  use({postgres_service(), api_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    if (host.step(get("/db")).body != "answered N") return failed("the control");
    auto armed = host.arm({deny("api", "connect", "ECONNREFUSED")});
    if (!armed) return failed(armed.error().what);
    const std::string body = host.step(get("/db")).body;
    if (!host.disarm(*armed)) return failed("disarm");
    if (body != "ECONNREFUSED") return failed("under the fault: " + body);
    return host.step(get("/db")).body == "answered N" ? passed() : failed("afterwards");
  });
  EXPECT_EQ(report.outcome, model::Outcome::kPassed) << told(report);
  ASSERT_EQ(report.rules.size(), 1U);
  EXPECT_GE(report.rules[0].tally.fired, 1U);
}

TEST_F(EngineTest, AFaultThatNeverFiresFailsTheTest) {
  use({api_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    auto armed = host.arm({deny("api", "connect", "ECONNREFUSED")});
    return host.step(get("/")).ok && host.disarm(*armed) ? passed() : failed("step");
  });
  EXPECT_EQ(report.outcome, model::Outcome::kFailed);
  EXPECT_THAT(told(report), HasSubstr("never fired"));
}

TEST_F(EngineTest, AFullDiskEndsInPanicAndRecovery) {
  use({postgres_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    if (!host.step(sql("CREATE TABLE t (n int)")).ok) return failed("the control");
    model::Rule full = deny("db", "write", "ENOSPC");
    full.mutable_syscall()->set_path("*/pg_wal/*");
    full.mutable_trigger()->set_times(1);
    auto armed = host.arm({full});
    if (!armed) return failed(armed.error().what);
    const dsl::StepReply lost = host.step(sql("INSERT INTO t VALUES (1)"));
    const Status back = host.disarm(*armed);
    if (lost.ok || !back) return failed("stored on a full disk");
    const dsl::StepReply rows = host.step(sql("SELECT count(*) AS n FROM t"));
    return rows.data.text.find("\"n\":0") != std::string::npos ||
                   rows.data.text.find("\"n\": 0") != std::string::npos
               ? passed()
               : failed(rows.error + rows.data.text);
  });
  EXPECT_EQ(report.outcome, model::Outcome::kPassed) << told(report);
  EXPECT_EQ(count("lifecycle", "action", "recovering"), 1U);
  EXPECT_THAT(report.notes, Contains(HasSubstr("db recovered in")));
}

bool has_exited(dsl::TestHost& host) {
  return std::ranges::any_of(host.events(), [](const dsl::EventPtr& event) {
    return event->type == "lifecycle" && model::field_text(*event->find("action")) == "exited";
  });
}

bool has_printed(dsl::TestHost& host, std::string_view text) {
  return std::ranges::any_of(host.events(), [&](const dsl::EventPtr& event) {
    return event->type == "stdout" &&
           model::field_text(*event->find("body")).find(text) != std::string::npos;
  });
}

template <class Predicate>
bool wait_until(dsl::TestHost& host, Predicate holds) {
  const TimePoint deadline = host.clock().now() + std::chrono::seconds(30);
  while (!holds(host)) {
    if (!host.wait_for_event(host.events().size(), deadline)) return holds(host);
  }
  return true;
}

/// PostgreSQL would recover first, meet the fault again, and end at once or only after a minute.
bool ends_when_it_crashes(dsl::TestHost& host) {
  host.step(sql("ALTER SYSTEM SET restart_after_crash = off"));
  host.step(sql("SELECT pg_reload_conf()"));
  return wait_until(
      host, [](dsl::TestHost& it) { return has_printed(it, "\"restart_after_crash\" changed"); });
}

TEST_F(EngineTest, AServerThatAFaultEndsIsStartedAgainOnItsData) {
  use({postgres_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    if (!host.step(sql("CREATE TABLE t AS SELECT 42 AS n")).ok) return failed("the control");
    if (!ends_when_it_crashes(host)) return failed("its configuration was not read again");
    model::Rule control = deny("db", "write", "EIO");
    control.mutable_syscall()->set_path("*/global/pg_control");
    auto armed = host.arm({control});
    if (!armed) return failed(armed.error().what);
    host.step(sql("CHECKPOINT"));
    if (!wait_until(host, has_exited)) return failed("it goes on");
    const dsl::StepReply during = host.step(sql("SELECT 1"));
    const Status back = host.disarm(*armed);
    if (!back) return failed(back.error().what);
    const dsl::StepReply rows = host.step(sql("SELECT n FROM t"));
    if (rows.data.text.find("42") == std::string::npos) return failed("lost: " + rows.error);
    return during.ok ? failed("answered although its control file cannot be written") : passed();
  });
  EXPECT_EQ(report.outcome, model::Outcome::kPassed) << told(report);
  EXPECT_EQ(count("lifecycle", "explained_by", "write-EIO"), 1U);
  EXPECT_EQ(count("lifecycle", "action", "restarting"), 1U);
}

TEST_F(EngineTest, AnExitThatNothingExplainsFailsTheTest) {
  use({api_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    host.step(get("/exit"));
    return passed();
  });
  EXPECT_EQ(report.outcome, model::Outcome::kFailed);
  EXPECT_THAT(told(report), HasSubstr("api exited with status 7"));
}

TEST_F(EngineTest, AServiceThatIsNeverReadyIsInfrastructure) {
  model::Service broken = api_service();
  broken.args = {"-c", "print('no licence'); raise SystemExit(3)"};
  use({broken});
  const auto report = run([](dsl::TestHost&, const auto&) { return passed(); });
  EXPECT_EQ(report.outcome, model::Outcome::kError);
  EXPECT_THAT(told(report), HasSubstr("api exited with status 3 before it was ready"));
  EXPECT_THAT(told(report), HasSubstr("no licence"));
}

TEST_F(EngineTest, ABinaryThatIsNotThereIsInfrastructure) {
  model::Service broken = api_service();
  broken.args = {};
  broken.binary = "/no/such/binary";
  spec_->topology_.services = {broken};
  auto plans = plan_services(spec_->topology_, {.spec_file = loaded_[0].file});
  if (!plans) return;  // Found before anything starts: better still.
  loaded_[0].plans = *std::move(plans);
  const auto report = run([](dsl::TestHost&, const auto&) { return passed(); });
  EXPECT_EQ(report.outcome, model::Outcome::kError);
  EXPECT_THAT(told(report), HasSubstr("/no/such/binary"));
}

TEST_F(EngineTest, TheDeadlineSaysWhatWasPending) {
  use({api_service()});
  const auto report = run(
      [](dsl::TestHost& host, const std::atomic<bool>& cancelled) {
        while (!cancelled)
          host.wait_for_event(host.events().size(),
                              host.clock().now() + std::chrono::milliseconds(20));
        return dsl::BodyResult{.cancelled = true};
      },
      std::chrono::seconds(2));
  EXPECT_THAT(report.outcome,
              testing::AnyOf(model::Outcome::kInconclusive, model::Outcome::kFailed));
  EXPECT_THAT(told(report), HasSubstr("the deadline of 2 s passed"));
}

TEST_F(EngineTest, ALostWorkerIsAnErrorAndItsEventsRemain) {
  use({api_service()});
  const auto report = run([](dsl::TestHost& host, const auto&) {
    host.step(get("/"));
    ::kill(::getpid(), SIGKILL);
    return passed();
  });
  EXPECT_EQ(report.outcome, model::Outcome::kError);
  EXPECT_THAT(told(report), HasSubstr("killed by signal 9"));
  EXPECT_EQ(count("step_recv", "status", "200"), 1U);
  EXPECT_EQ(count("lifecycle", "action", "worker_lost"), 1U);
}

TEST_F(EngineTest, AnInterruptEndsTheRunWithinTwoSeconds) {
  use({api_service()});
  std::optional<TimePoint> interrupted_at;
  observer_.on_progress = [&interrupted_at](const std::string& phase) {
    if (phase != "running") return;
    interrupted_at = SteadyClock().now();
    ::kill(::getpid(), SIGINT);
  };
  const auto report = run([](dsl::TestHost&, const auto&) {
    // A body that listens to nobody.
    while (true) ::pause();
    return passed();
  });
  ASSERT_TRUE(interrupted_at.has_value());
  EXPECT_LT(SteadyClock().now() - *interrupted_at, std::chrono::seconds(2));
  EXPECT_EQ(report.outcome, model::Outcome::kInterrupted);
  EXPECT_TRUE(interrupted_);
}

TEST_F(EngineTest, WhatAnInterruptedRunEndsItselfIsNoFinding) {
  model::Service mortal = api_service();
  mortal.name = "mortal";
  mortal.interfaces[0].port = mortal.healthcheck.port = 8090;
  mortal.args[1].replace(mortal.args[1].find("8080"), 4, "8090");
  use({api_service(), mortal});
  observer_.on_progress = [](const std::string& phase) {
    if (phase.contains("/enough")) ::kill(::getpid(), SIGINT);
  };
  const auto await_exits = [](dsl::TestHost& host, std::ptrdiff_t wanted) {
    const auto is_exit = [](const EventPtr& event) {
      const model::Field* action = event->find("action");
      return action != nullptr && model::field_text(*action) == "exited";
    };
    for (auto events = host.events(); std::ranges::count_if(events, is_exit) < wanted;) {
      host.wait_for_event(events.size(), SteadyClock().now() + std::chrono::seconds(1));
      events = host.events();
    }
  };
  const auto report = run([&await_exits](dsl::TestHost& host, const auto&) {
    dsl::StepCall leave = get("/exit");
    leave.service = "mortal";
    host.step(leave);
    await_exits(host, 1);
    host.step(get("/enough"));
    await_exits(host, 2);
    return passed();
  });
  EXPECT_EQ(report.outcome, model::Outcome::kInterrupted);
  EXPECT_EQ(count("lifecycle", "detail", "the run was interrupted"), 1U) << "that is the api's end";
  EXPECT_THAT(told(report), HasSubstr("mortal exited with status 7 although no fault explains it"));
  EXPECT_THAT(told(report), testing::Not(HasSubstr("api was killed")));
}

}  // namespace
}  // namespace misrule::controller
