// Launches, users, rule changes while a service runs, and how everything ends.

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/interceptor/harness.h"

namespace misrule::interceptor {
namespace {

using ::testing::HasSubstr;

std::string why_not_started(Bench& bench, const std::vector<std::string>& argv) {
  auto running = bench.start({.argv = argv});
  return running ? "it started" : running.error().what;
}

TEST(Launch, AMissingProgramIsNamed) {
  const TestFolder folder;
  Bench bench;
  EXPECT_EQ(why_not_started(bench, {"./api"}), "exec ./api: No such file or directory");
  EXPECT_THAT(why_not_started(bench, {"no-such-program"}),
              HasSubstr("exec no-such-program: not found on PATH ("));
  EXPECT_EQ(why_not_started(bench, {folder.path()}), "exec " + folder.path() + ": Is a directory");
  const std::string text = folder.path() + "/text";
  std::ofstream(text) << "just text\n";
  EXPECT_EQ(why_not_started(bench, {text}), "exec " + text + ": Permission denied");
  std::filesystem::permissions(text, std::filesystem::perms::all);
  EXPECT_EQ(why_not_started(bench, {text}), "exec " + text + ": Exec format error");
  std::ofstream(text) << "#!/no/interpreter\n";
  EXPECT_EQ(why_not_started(bench, {text}), "exec " + text + ": No such file or directory");
}

TEST(Launch, UnknownNamesAreRefusedBeforeAnythingStarts) {
  Bench bench;
  EXPECT_EQ(bench.start({.argv = {"true"}, .service = "nobody"}).error().code, Code::kNotFound);
  EXPECT_EQ(bench.start({.argv = {"true"}, .families = {"wrote"}}).error().code, Code::kInvalid);
  EXPECT_THAT(bench.start({.argv = {"true"}, .user = "no-such-user"}).error().what,
              HasSubstr("no-such-user"));
}

TEST(Launch, AShimThatNeverComesIsSaid) {
  Bench bench;
  {
    const auto launch = bench.supervisor->prepare("api", {}, "");
  }
  const Status gone = bench.supervisor->wait_attached("api", std::chrono::seconds(5));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().what, "the shim ended before it handed its listener over");
  const auto held = bench.supervisor->prepare("api", {}, "");
  const Status late = bench.supervisor->wait_attached("api", std::chrono::milliseconds(20));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Code::kTimeout);
}

TEST(Launch, RootKeepsSetuidAndOthersGetNoNewPrivileges) {
  Bench bench;
  const std::vector<std::string> show = {"sh", "-c",
                                         "id -u; id -g; grep NoNewPrivs /proc/self/status"};
  EXPECT_EQ(bench.run({.argv = show}).output, "0\n0\nNoNewPrivs:\t0\n");
  const Ended nobody = bench.run({.argv = show, .user = "nobody"});
  EXPECT_EQ(nobody.output, "65534\n65534\nNoNewPrivs:\t1\n");
  EXPECT_EQ(bench.run({.argv = show, .user = "12345"}).output, "12345\n12345\nNoNewPrivs:\t1\n");
}

TEST(Launch, AnotherUsersCallsAreSeenToo) {
  const TestFolder folder;
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(25432, proxy.port(), "db");
  bench.arm({deny(rule_on("full", "write", "*/x"), "ENOSPC")});
  const ServiceRun as_nobody = {
      .argv = {program("write_family"), folder.path() + "/x", std::to_string(ENOSPC)},
      .families = {"write"},
      .user = "nobody"};
  EXPECT_THAT(bench.run(as_nobody).output, HasSubstr("EXIT-SUCCESS"));
  const Ended connected =
      bench.run({.argv = {program("connect"), "4", "25432", "nonblock"}, .user = "nobody"});
  EXPECT_THAT(connected.output, HasSubstr("greeting proxy"));
}

TEST(Launch, TheProgramIsTheShimsOwnProcessAndInheritsNothing) {
  Bench bench;
  auto running = bench.start({.argv = {"sh", "-c", "echo $$; ls /proc/$$/fd"}});
  ASSERT_TRUE(running.has_value()) << running.error().what;
  const std::string pid = std::to_string(running->pid());
  EXPECT_EQ(running->wait().output, pid + "\n0\n1\n2\n");
}

TEST(Launch, ShellPipelinesUnderEveryFamily) {
  Bench bench;
  const ServiceRun pipeline = {
      .argv = {"bash", "-c",
               "for i in 1 2 3 4 5 6 7 8 9 10; do "
               "(echo a; cat /etc/passwd) | sort | (read x; wc -l; wait); "
               "done | uniq -c; x=$(ls / | wc -l); [ $x -gt 5 ] && echo OK"},
      .families = {"read", "write", "open", "fsync"}};
  const Ended control = bench.run(pipeline);
  EXPECT_EQ(control.exit_code, 0);
  EXPECT_THAT(control.output, HasSubstr("OK\n"));
  // With rules that look at everything and want nothing of it, the answers are the same.
  std::vector<model::Rule> rules;
  for (const auto& family : families()) {
    rules.push_back(deny(rule_on(family, family, "/nowhere/*"), "EIO"));
  }
  bench.arm(rules);
  EXPECT_EQ(bench.run(pipeline).output, control.output);
  EXPECT_GT(bench.tally("write").considered, 0U);
  EXPECT_GT(bench.supervisor->counters().seen, 200U);
}

TEST(Launch, ForeignCallsPassAndRingsAreNotThere) {
  Bench bench;
  const Ended ended = bench.run({.argv = {program("foreign_calls")}, .families = {"write"}});
  EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  const auto events = bench.sink.of_type("lifecycle");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text_of(events[0], "action"), "io_uring_denied");
  EXPECT_EQ(bench.supervisor->counters().io_uring_denied, 1U);
}

TEST(Launch, EachServiceHasItsOwnListener) {
  const TestFolder folder;
  Bench bench;
  auto rule = deny(rule_on("db_full", "write", "*/x"), "ENOSPC");
  rule.mutable_target()->set_service("db");
  bench.arm({rule});
  const auto write = [&](const std::string& service, int error) {
    return bench.run(
        {.argv = {program("write_family"), folder.path() + "/x", std::to_string(error)},
         .families = {"write"},
         .service = service});
  };
  EXPECT_THAT(write("api", 0).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_THAT(write("db", ENOSPC).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("db_full").matched, bench.tally("db_full").fired);
}

// A service that writes when told to.
class Steps : public ::testing::Test {
 protected:
  Steps() {
    mkfifo(fifo().c_str(), 0600);
    auto running = bench_.start(
        {.argv = {program("steps"), folder_.path() + "/x", fifo()}, .families = {"write"}});
    if (running) running_ = std::make_unique<Running>(*std::move(running));
  }
  void SetUp() override {
    ASSERT_NE(running_, nullptr);
    ASSERT_EQ(running_->read_line(), "ready");
    orders_.open(fifo());
  }
  std::string fifo() const { return folder_.path() + "/orders"; }
  void order(const std::string& word) { orders_ << word << std::endl; }

  const TestFolder folder_;
  Bench bench_;
  std::ofstream orders_;
  std::unique_ptr<Running> running_;
};

TEST_F(Steps, RulesComeAndGoWhileItRuns) {
  order("write");
  EXPECT_EQ(running_->read_line(), "outcome 0");
  bench_.arm({deny(rule_on("full", "write", "*/x"), "ENOSPC")});
  order("write");
  EXPECT_EQ(running_->read_line(), fmt::format("outcome {}", ENOSPC));
  bench_.arm({});
  order("write");
  EXPECT_EQ(running_->read_line(), "outcome 0");
  EXPECT_EQ(bench_.tally("full").fired, 1U);
  order("quit");
  EXPECT_THAT(running_->wait().output, HasSubstr("EXIT-SUCCESS"));
}

TEST_F(Steps, WhatAnEndedRuleDelaysGoesOnAtOnce) {
  bench_.arm({delay(rule_on("forever", "write", "*/x"), 3'600'000)});
  order("write");
  while (bench_.supervisor->counters().delayed == 0) std::this_thread::yield();
  bench_.arm({});
  EXPECT_EQ(running_->read_line(), "outcome 0");
  const auto events = bench_.sink.of_type("lifecycle");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text_of(events[0], "action"), "released");
  EXPECT_EQ(text_of(events[0], "rule"), "forever");
  EXPECT_EQ(text_of(events[0], "detail"), "the rule ended: 1 held call(s) go on");
}

TEST_F(Steps, ARuleThatTheFilterCannotSeeIsRefused) {
  const Status refused = bench_.try_arm({deny(rule_on("sync", "fsync"), "EIO")});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_THAT(refused.error().what, HasSubstr("service(\"api\", intercept=[\"fsync\"])"));
}

TEST_F(Steps, StoppingReleasesWhatIsHeldAndThenNothingHangs) {
  bench_.arm({delay(rule_on("forever", "write", "*/x"), 3'600'000)});
  order("write");
  while (bench_.supervisor->counters().delayed == 0) std::this_thread::yield();
  bench_.supervisor->stop();
  // From now on every write fails, that of the outcome to the pipe too.
  order("quit");
  EXPECT_EQ(running_->wait().output, "");
  EXPECT_EQ(std::filesystem::file_size(folder_.path() + "/x"), 1U);
  EXPECT_EQ(bench_.tally("forever").fired, 1U);
}

TEST_F(Steps, AKilledServiceIsNotMissed) {
  bench_.arm({delay(rule_on("slow", "write", "*/x"), 50)});
  order("write");
  while (bench_.supervisor->counters().delayed == 0) std::this_thread::yield();
  kill(running_->pid(), SIGKILL);
  EXPECT_EQ(running_->wait().signal, SIGKILL);
  // The loop still serves others, beyond the time when the dead call was due.
  const Ended next = bench_.run(
      {.argv = {program("interval_timer"), folder_.path() + "/x"}, .families = {"write"}});
  EXPECT_THAT(next.output, HasSubstr("EXIT-SUCCESS"));
}

// kill -9 of the supervisor's process while a call of the service is held: the call fails with
// ENOSYS and so do later ones; nothing hangs.
TEST(Lifetime, ADeadSupervisorsServicesFailInsteadOfHanging) {
  const TestFolder folder;
  std::array<int, 2> ends = {-1, -1};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t host = fork();
  if (host == 0) {
    Bench bench;
    bench.arm({delay(rule_on("forever", "write", "*/x"), 3'600'000)});
    const std::string script = fmt::format(
        "import os\nos.chdir('{}')\nfd = os.open('x', os.O_CREAT | os.O_WRONLY)\n"
        "try:\n  os.write(fd, b'x')\nexcept OSError as e:\n  os.mkdir('code-%d' % e.errno)\n",
        folder.path());
    auto running = bench.start({.argv = {"/usr/bin/python3", "-c", script}, .families = {"write"}});
    while (running && bench.supervisor->counters().delayed == 0) std::this_thread::yield();
    (void)!write(ends[1], "held", 4);
    pause();
  }
  char word[4] = {};
  ASSERT_EQ(read(ends[0], word, sizeof(word)), 4);
  kill(host, SIGKILL);
  waitpid(host, nullptr, 0);
  const std::string proof = folder.path() + fmt::format("/code-{}", ENOSYS);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!std::filesystem::exists(proof) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(std::filesystem::exists(proof));
}

TEST(Probe, ThisMachineCanDoWhatTheTestsNeed) {
  std::set<std::string> available;
  for (const Probe& probe : probe_kernel()) {
    if (probe.available) available.insert(probe.name);
    EXPECT_EQ(probe.available, probe.cost.empty()) << probe.name;
    EXPECT_NE(probe.detail, "") << probe.name;
  }
  for (const char* name : {"seccomp user notification", "pidfd_getfd", "process_vm_readv"}) {
    EXPECT_TRUE(available.contains(name)) << name;
  }
}

}  // namespace
}  // namespace misrule::interceptor
