// What an event costs: to be recorded in the file of a test, and to be looked at by monitors. An
// event has eight fields, data and a clock of five entries; each case checks its answer.
//
//   events_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/events/event_log.h"
#include "spec/dsl/spec.h"

namespace misrule {
namespace {

constexpr std::int64_t kEvents = 100'000;
const char* const kServices[] = {"api", "db", "cache", "worker", "mail"};
const char* const kTypes[] = {"proxy", "stdout", "syscall", "step_recv", "lifecycle"};

model::Event event_of(std::int64_t number) {
  model::Event event = {.service = kServices[number % 5], .type = kTypes[number / 5 % 5]};
  event.set("to", std::string("db"))
      .set("interface", std::string("main"))
      .set("connection", number % 40)
      .set("query", std::string("INSERT INTO orders (item, quantity) VALUES ('lamp', 1)"))
      .set("duration_ms", number % 7)
      .set("action", std::string("forward"))
      .set("failed", false)
      .set("data", model::Json{fmt::format(R"({{"action":"stored","order":{}}})", number)});
  return event;
}

class Recorded final : public dsl::TestHost {
 public:
  explicit Recorded(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      model::Event event = event_of(i);
      event.number = static_cast<std::uint64_t>(i) + 1;
      for (const char* service : kServices) event.clock.emplace_back(service, event.number);
      events_.push_back(std::make_shared<const model::Event>(std::move(event)));
    }
  }
  dsl::StepReply step(const dsl::StepCall&) override { return {}; }
  Result<dsl::ArmId> arm(std::vector<model::Rule>) override { return dsl::ArmId{1}; }
  Status disarm(dsl::ArmId) override { return {}; }
  Result<std::size_t> release(const std::string&) override { return std::size_t{0}; }
  std::vector<dsl::EventPtr> events() override { return events_; }
  bool wait_for_event(std::size_t, TimePoint) override { return false; }
  Status barrier(Duration) override { return {}; }
  void tell(model::Event) override {}
  Result<std::string> attach(const std::string& name, const std::string&) override { return name; }
  void pause(TimePoint) override {}
  std::uint64_t seed() const override { return 1; }
  const Clock& clock() const override { return clock_; }

 private:
  std::vector<dsl::EventPtr> events_;
  SteadyClock clock_ = {};
};

/// The most that this process ever held.
double peak_resident_mib() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Each service has heard of all others soon, so clocks have their five entries. False: not so.
bool fill(controller::EventLog& log, std::int64_t count) {
  constexpr std::int64_t kIntroductions = 10;
  for (std::int64_t i = 0; i < kIntroductions; ++i) {
    model::Event event = event_of(i);
    if (i > 0) event.after = {static_cast<std::uint64_t>(i)};
    log.emit(std::move(event));
  }
  const bool is_whole = log.ordered().back()->clock.size() == std::size(kServices);
  for (std::int64_t i = kIntroductions; i < count; ++i) log.emit(event_of(i));
  return is_whole && log.status() && log.size() == static_cast<std::size_t>(count);
}

void append(benchmark::State& state) {
  while (state.KeepRunning()) {
    std::string path = "/tmp/events-bench-XXXXXX";
    UniqueFd file(::mkostemp(path.data(), O_APPEND | O_CLOEXEC));
    ::unlink(path.c_str());
    auto shared_log = controller::SharedLog::create();
    if (!shared_log) return state.SkipWithError("no shared log");
    controller::EventLog log(std::move(file), *shared_log, SteadyClock().now());
    if (!fill(log, state.range(0))) state.SkipWithError("the log, or a clock, is not whole");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["peak_MiB"] = peak_resident_mib();
}
/// What of it is the making of an event.
void make(benchmark::State& state) {
  std::int64_t i = 0;
  while (state.KeepRunning()) benchmark::DoNotOptimize(event_of(i++));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(make);

// The long one first: the peak is the process's.
BENCHMARK(append)->Arg(1'000'000)->Arg(kEvents)->Unit(benchmark::kMillisecond)->UseRealTime();

void judge(benchmark::State& state, const std::string& invariants) {
  std::string path = "/tmp/events-bench-XXXXXX";
  const UniqueFd file(::mkostemp(path.data(), O_CLOEXEC));
  std::string text;
  for (const char* service : kServices) {
    text += fmt::format("service(\"{}\", binary = \"./x\")\n", service);
  }
  std::ofstream(path) << text << invariants << "def test_x():\n    pass\n";
  auto spec = dsl::Spec::load(path, {});
  ::unlink(path.c_str());
  if (!spec) return state.SkipWithError(spec.error().front().rendered.c_str());
  Recorded host(kEvents);
  while (state.KeepRunning()) {
    const dsl::BodyResult result = (*spec)->run_test("test_x", host);
    if (result.violations.size() != 1) state.SkipWithError("one is violated at the last event");
  }
  state.SetItemsProcessed(state.iterations() * kEvents);
}

std::string never(const std::string& type, const std::string& service, std::int64_t order) {
  return fmt::format(
      "invariant(never(lambda e: e.type == \"{}\" and e.service == \"{}\" and "
      "e.data.get(\"order\") == {}))\n",
      type, service, order);
}

void three_predicates(benchmark::State& state) {
  std::string text;
  for (const char* type : {"stdout", "proxy", "lifecycle"}) {
    const std::int64_t order = std::string(type) == "lifecycle" ? kEvents - 1 : -1;
    text += fmt::format(
        "invariant(never(lambda e: e.type == \"{}\" and e.data.get(\"order\") == {}))\n", type,
        order);
  }
  judge(state, text);
}
BENCHMARK(three_predicates)->Unit(benchmark::kMillisecond);

/// Fifty that are about other pairs of type and service than most events.
void fifty_monitors(benchmark::State& state) {
  std::string text = never("lifecycle", "mail", kEvents - 1);
  for (int i = 0; i < 49; ++i) text += never("stdout", "db", -1 - i);
  judge(state, text);
}
BENCHMARK(fifty_monitors)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace misrule

BENCHMARK_MAIN();
