#include "controller/events/event_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

using model::Event;

class EventLogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/events-" + std::to_string(::getpid()) + ".jsonl";
    auto numbers = EventNumbers::create();
    ASSERT_TRUE(numbers);
    numbers_ = *numbers;
    log_ = open_log();
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  std::unique_ptr<EventLog> open_log() {
    UniqueFd file(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    return std::make_unique<EventLog>(std::move(file), numbers_, start_);
  }
  std::uint64_t emit(const std::string& service, std::int64_t source_time_ns,
                     std::vector<std::uint64_t> after = {}) {
    return log_->emit({.source_time_ns = source_time_ns,
                       .service = service,
                       .type = "stdout",
                       .after = std::move(after)});
  }
  std::vector<std::uint64_t> order() const {
    std::vector<std::uint64_t> numbers;
    for (const EventPtr& event : log_->ordered()) numbers.push_back(event->number);
    return numbers;
  }

  std::string path_;
  TimePoint start_ = std::chrono::steady_clock::now();
  EventNumbers numbers_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(EventLogTest, FillsInNumberAndTimes) {
  EXPECT_EQ(log_->emit({.service = "api", .type = "stdout"}), 1U);
  EXPECT_EQ(log_->emit({.service = "api", .type = "stdout"}), 2U);
  const auto events = log_->ordered();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_GT(events[0]->time_ns, 0);
  EXPECT_EQ(events[0]->source_time_ns, events[0]->time_ns);
  EXPECT_LE(events[0]->time_ns, events[1]->time_ns);
  EXPECT_EQ(numbers_.reserved(), 2U);
}

TEST_F(EventLogTest, OrdersBySourceTimeThenNumber) {
  emit("db", 30);
  emit("api", 10);
  emit("db", 20);
  emit("api", 10);
  EXPECT_EQ(order(), (std::vector<std::uint64_t>{2, 4, 3, 1}));
}

TEST_F(EventLogTest, AnEffectNeverStandsBeforeItsCause) {
  const auto send = emit("test", 100);
  const auto request = emit("api", 40, {send});  // Its clock is slow.
  const auto reply = emit("test", 50, {request});
  const auto between = emit("db", 60);
  EXPECT_EQ(order(), (std::vector<std::uint64_t>{between, send, request, reply}));
}

TEST_F(EventLogTest, ClocksFollowServicesAndCauses) {
  const auto send = emit("test", 1);
  emit("db", 2);
  const auto request = emit("api", 3, {send});
  emit("test", 4, {request, 999});  // A number of another process is no error.
  const auto events = log_->ordered();
  using Clock = model::VectorClock;
  EXPECT_EQ(events[0]->clock, (Clock{{"test", 1}}));
  EXPECT_EQ(events[1]->clock, (Clock{{"db", 1}}));
  EXPECT_EQ(events[2]->clock, (Clock{{"api", 1}, {"test", 1}}));
  EXPECT_EQ(events[3]->clock, (Clock{{"api", 1}, {"test", 2}}));
}

TEST_F(EventLogTest, TheFileHoldsWhatWasEmitted) {
  emit("api", 5);
  emit("db", 6, {1});
  const auto events = read_event_log(path_);
  ASSERT_TRUE(events) << events.error().what;
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ((*events)[1].service, "db");
  EXPECT_EQ((*events)[1].after, std::vector<std::uint64_t>{1});
  EXPECT_EQ((*events)[1].clock, (model::VectorClock{{"api", 1}, {"db", 1}}));
}

TEST_F(EventLogTest, WaitsForGrowth) {
  EXPECT_FALSE(log_->wait_beyond(0, std::chrono::steady_clock::now()));
  std::jthread emitter([&] { emit("api", 1); });
  EXPECT_TRUE(log_->wait_beyond(0, std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  EXPECT_EQ(log_->size(), 1U);
}

TEST_F(EventLogTest, ThreadsShareOneOrder) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) emit("service-" + std::to_string(t), 0);
      });
    }
  }
  const auto events = log_->ordered();
  ASSERT_EQ(events.size(), 2000U);
  EXPECT_TRUE(std::ranges::is_sorted(events, {}, [](const EventPtr& e) { return e->number; }));
}

TEST_F(EventLogTest, ProcessesShareNumbersAndFile) {
  constexpr int kProcesses = 4;
  constexpr std::size_t kEach = 400;
  for (int child = 0; child < kProcesses; ++child) {
    if (::fork() != 0) continue;
    const auto mine = open_log();
    const std::string body(static_cast<std::size_t>(child) * 3000, 'x');
    for (std::size_t i = 0; i < kEach; ++i) {
      Event event{.service = "child-" + std::to_string(child), .type = "stdout"};
      event.set("body", body);
      mine->emit(std::move(event));
    }
    ::_exit(mine->status() ? 0 : 1);
  }
  for (int child = 0; child < kProcesses; ++child) {
    int status = -1;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(numbers_.reserved(), kProcesses * kEach);
  const auto events = read_event_log(path_);
  ASSERT_TRUE(events) << events.error().what;
  std::set<std::uint64_t> numbers;
  std::map<std::string, std::size_t> per_service;
  for (const Event& event : *events) {
    numbers.insert(event.number);
    ++per_service[event.service];
  }
  EXPECT_EQ(numbers.size(), kProcesses * kEach);
  EXPECT_EQ(*numbers.rbegin(), kProcesses * kEach);
  EXPECT_EQ(per_service["child-3"], kEach);
}

TEST_F(EventLogTest, AKilledWriterLosesNothingThatItEmitted) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = open_log();
    for (int i = 0; i < 10; ++i) mine->emit({.service = "api", .type = "stdout"});
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto events = read_event_log(path_);
  ASSERT_TRUE(events);
  EXPECT_EQ(events->size(), 10U);
}

TEST_F(EventLogTest, ResetStartsAgainAtOne) {
  emit("api", 1);
  numbers_.reset();
  EXPECT_EQ(emit("api", 2), 1U);
}

TEST(EventLogStatus, AFullDiskIsRemembered) {
  auto numbers = EventNumbers::create();
  ASSERT_TRUE(numbers);
  EventLog log(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), *numbers, {});
  EXPECT_TRUE(log.status());
  EXPECT_EQ(log.emit({.service = "api", .type = "stdout"}), 1U);
  ASSERT_FALSE(log.status());
  EXPECT_NE(log.status().error().what.find("No space left"), std::string::npos);
  EXPECT_EQ(log.size(), 1U);  // Assertions still see it.
}

}  // namespace
}  // namespace misrule::controller
