#include "controller/events/event_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/events/log_file.h"

namespace misrule::controller {
namespace {

using model::Event;

class EventLogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/events-" + std::to_string(::getpid()) + ".jsonl";
    auto shared_log = SharedLog::create();
    ASSERT_TRUE(shared_log);
    shared_log_ = *shared_log;
    log_ = open_log();
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  std::unique_ptr<EventLog> open_log() {
    UniqueFd file(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    return std::make_unique<EventLog>(std::move(file), shared_log_, start_);
  }
  std::uint64_t emit(const std::string& service, std::int64_t source_time_ns,
                     std::vector<std::uint64_t> after = {}) {
    return log_->emit({.source_time_ns = source_time_ns,
                       .service = service,
                       .type = "stdout",
                       .after = std::move(after)});
  }
  void expect_numbers_up_to(std::uint64_t last) const {
    const auto events = read_event_log(path_);
    ASSERT_TRUE(events) << events.error().what;
    ASSERT_EQ(events->size(), last);
    for (std::uint64_t i = 0; i < last; ++i) EXPECT_EQ((*events)[i].number, i + 1);
  }
  std::vector<std::uint64_t> order() const {
    std::vector<std::uint64_t> numbers;
    for (const EventPtr& event : log_->ordered()) numbers.push_back(event->number);
    return numbers;
  }

  std::string path_;
  TimePoint start_ = std::chrono::steady_clock::now();
  SharedLog shared_log_;
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
  EXPECT_EQ(shared_log_.reserved(), 2U);
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

TEST_F(EventLogTest, ClocksFollowWhatPasses) {
  emit("api", 0);
  log_->passes("api", "db");
  emit("db", 1);  // It happened before that.
  emit("db", 0);
  log_->passes("db", "api");
  emit("api", 0);
  ASSERT_TRUE(log_->status());
  const auto events = read_event_log(path_);
  ASSERT_TRUE(events) << events.error().what;
  ASSERT_EQ(events->size(), 4U);
  using Clock = model::VectorClock;
  EXPECT_EQ((*events)[1].clock, (Clock{{"db", 1}}));
  EXPECT_EQ((*events)[2].clock, (Clock{{"api", 1}, {"db", 2}}));
  EXPECT_EQ((*events)[3].clock, (Clock{{"api", 2}, {"db", 2}}));
}

TEST_F(EventLogTest, TheFileHoldsWhatWasEmitted) {
  emit("api", 5);
  emit("db", 6, {1});
  ASSERT_TRUE(log_->status());
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
  EXPECT_EQ(shared_log_.reserved(), kProcesses * kEach);
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

TEST_F(EventLogTest, LinesOfAKilledWriterAreCompleted) {
  log_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = open_log();
    for (int i = 0; i < 1000; ++i) mine->emit({.service = "api", .type = "stdout"});
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const UniqueFd file(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  ASSERT_TRUE(shared_log_.recover(file.fd()));
  expect_numbers_up_to(1000);
  ASSERT_TRUE(shared_log_.recover(file.fd()));  // There is nothing left.
  expect_numbers_up_to(1000);
}

TEST_F(EventLogTest, WhatWasWrittenBeforeTheKillIsNotWrittenAgain) {
  log_.reset();
  const std::vector<std::string> lines = {event_to_json({.number = 1, .service = "a"}),
                                          event_to_json({.number = 2, .service = "b"})};
  const std::string both = lines[0] + "\n" + lines[1] + "\n";
  for (const std::size_t written :
       {std::size_t{0}, std::size_t{7}, lines[0].size() + 1, lines[0].size() + 9, both.size()}) {
    const UniqueFd file(::open(path_.c_str(), O_RDWR | O_APPEND | O_TRUNC | O_CLOEXEC));
    ASSERT_TRUE(write_whole(file.fd(), both.substr(0, written)));
    for (const std::string& line : lines) ASSERT_TRUE(shared_log_.add_line(line));
    ASSERT_TRUE(shared_log_.recover(file.fd()));
    expect_numbers_up_to(2);
  }
}

TEST_F(EventLogTest, AKillWhileOneHalfIsWrittenAndTheOtherFillsLosesNeither) {
  log_.reset();
  std::vector<std::string> lines;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    lines.push_back(event_to_json({.number = number, .service = "a"}));
  }
  const std::string first = lines[0] + "\n" + lines[1] + "\n";
  for (std::size_t written = 0; written <= first.size(); ++written) {
    const UniqueFd file(::open(path_.c_str(), O_RDWR | O_APPEND | O_TRUNC | O_CLOEXEC));
    ASSERT_TRUE(write_whole(file.fd(), first.substr(0, written)));
    ASSERT_TRUE(shared_log_.add_line(lines[0]) && shared_log_.add_line(lines[1]));
    ASSERT_TRUE(shared_log_.seal());
    ASSERT_TRUE(shared_log_.add_line(lines[2]) && shared_log_.add_line(lines[3]));
    ASSERT_FALSE(shared_log_.seal()) << "what was sealed has not been written";
    ASSERT_TRUE(shared_log_.recover(file.fd()));
    expect_numbers_up_to(4);
  }
}

TEST_F(EventLogTest, AReaderBesideARunningTestNeedNotWaitForTheNextEvent) {
  emit("api", 1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::size_t read = 0;
  while (read == 0 && std::chrono::steady_clock::now() < deadline) {
    read = read_event_log(path_).value_or(std::vector<Event>()).size();
  }
  EXPECT_EQ(read, 1U);
}

TEST_F(EventLogTest, ALongLogIsReadAgainFromItsFile) {
  // More than stays in memory, with lines longer than what waits for the file; every second event
  // has a cause that is in the file alone.
  constexpr std::uint64_t kCount = 1000;
  const std::string body(70'000, 'x');
  for (std::uint64_t i = 0; i < kCount; ++i) {
    Event event{.source_time_ns = static_cast<std::int64_t>(kCount - i),
                .service = i % 2 == 0 ? "api" : "db",
                .type = "stdout"};
    if (i % 2 == 1) event.after = {i};
    event.set("body", body).set("index", static_cast<std::int64_t>(i));
    log_->emit(std::move(event));
  }
  ASSERT_TRUE(log_->status());
  const auto events = log_->ordered();
  ASSERT_EQ(events.size(), kCount);
  std::map<std::uint64_t, std::size_t> place;
  for (std::size_t i = 0; i < events.size(); ++i) place[events[i]->number] = i;
  for (const EventPtr& event : events) {
    EXPECT_EQ(*event->find("index"), model::Field(static_cast<std::int64_t>(event->number - 1)));
    EXPECT_EQ(std::get<std::string>(*event->find("body")).size(), body.size());
    for (const std::uint64_t cause : event->after) EXPECT_LT(place[cause], place[event->number]);
  }
  // What "db" knows of "api" comes from the clocks of its causes.
  const auto last = std::ranges::find(events, kCount, [](const EventPtr& e) { return e->number; });
  ASSERT_NE(last, events.end());
  EXPECT_EQ((*last)->clock, (model::VectorClock{{"api", kCount / 2}, {"db", kCount / 2}}));
  EXPECT_EQ(read_event_log(path_)->size(), kCount);
}

TEST_F(EventLogTest, ResetStartsAgainAtOne) {
  emit("api", 1);
  shared_log_.reset();
  EXPECT_EQ(emit("api", 2), 1U);
}

TEST(EventLogStatus, AFullDiskIsRemembered) {
  auto shared_log = SharedLog::create();
  ASSERT_TRUE(shared_log);
  EventLog log(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), *shared_log, {});
  EXPECT_TRUE(log.status());
  EXPECT_EQ(log.emit({.service = "api", .type = "stdout"}), 1U);
  ASSERT_FALSE(log.status());
  EXPECT_NE(log.status().error().what.find("No space left"), std::string::npos);
  EXPECT_EQ(log.size(), 1U);  // Assertions still see it.
}

}  // namespace
}  // namespace misrule::controller
