// The worker's smaller parts: its ear, its routes, its folders, what servers' logs say.

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/run/readiness.h"
#include "controller/run/routes.h"
#include "controller/run/run_folder.h"
#include "controller/run/watcher.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

TimePoint soon() { return SteadyClock().now() + std::chrono::seconds(5); }

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(WatcherTest, DrainReturnsOnceAllThatWasThereHasBeenTaken) {
  Pipe pipe;
  std::atomic<int> taken = 0;
  Watcher watcher;
  watcher.watch(pipe.reader.fd(), [&] {
    char byte = 0;
    while (::read(pipe.reader.fd(), &byte, 1) == 1) ++taken;
    return true;
  });
  for (int round = 1; round <= 50; ++round) {
    ASSERT_EQ(::write(pipe.writer.fd(), "abcde", 5), 5);
    ASSERT_TRUE(watcher.drain(soon()));
    ASSERT_EQ(taken, round * 5);
  }
}

TEST(WatcherTest, WhatNeverEndsStarvesNobody) {
  Pipe endless;
  Pipe other;
  ASSERT_EQ(::write(endless.writer.fd(), "a", 1), 1);
  std::atomic<int> taken = 0;
  std::promise<void> rung;
  Watcher watcher;
  watcher.watch(endless.reader.fd(), [] { return true; });
  watcher.watch(other.reader.fd(), [&] {
    char byte = 0;
    while (::read(other.reader.fd(), &byte, 1) == 1) ++taken;
    return true;
  });
  watcher.call_at(SteadyClock().now() + std::chrono::milliseconds(1), [&] { rung.set_value(); });
  EXPECT_EQ(rung.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  ASSERT_EQ(::write(other.writer.fd(), "abc", 3), 3);
  EXPECT_TRUE(watcher.drain(soon()));
  EXPECT_EQ(taken, 3);
}

TEST(WatcherTest, ACallbackThatSaysNoIsNotCalledAgain) {
  Pipe pipe;
  std::atomic<int> calls = 0;
  Watcher watcher;
  watcher.watch(pipe.reader.fd(), [&] {
    ++calls;
    return false;
  });
  ASSERT_EQ(::write(pipe.writer.fd(), "a", 1), 1);
  EXPECT_TRUE(watcher.drain(soon()));
  EXPECT_TRUE(watcher.drain(soon()));
  EXPECT_EQ(calls, 1);
}

TEST(WatcherTest, TimersAndPostsRunOnItsThread) {
  Watcher watcher;
  std::promise<std::thread::id> timed;
  std::promise<std::thread::id> posted;
  watcher.call_at(SteadyClock().now() + std::chrono::milliseconds(1),
                  [&] { timed.set_value(std::this_thread::get_id()); });
  watcher.call_soon([&] { posted.set_value(std::this_thread::get_id()); });
  const std::thread::id of_timer = timed.get_future().get();
  EXPECT_EQ(of_timer, posted.get_future().get());
  EXPECT_NE(of_timer, std::this_thread::get_id());
}

sockaddr_storage address(const char* text, std::uint16_t port) {
  sockaddr_storage out = {};
  sockaddr_in v4 = {};
  sockaddr_in6 v6 = {};
  if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out, &v4, sizeof v4);
  } else {
    EXPECT_EQ(::inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out, &v6, sizeof v6);
  }
  return out;
}

TEST(RoutesTest, LoopbackHasManySpellings) {
  for (const char* text : {"127.0.0.1", "127.8.9.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(loopback_port(address(text, 5432)), 5432) << text;
  }
  for (const char* text : {"10.0.0.1", "128.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"}) {
    EXPECT_EQ(loopback_port(address(text, 5432)), 0) << text;
  }
  sockaddr_storage unix_socket = {};
  unix_socket.ss_family = AF_UNIX;
  EXPECT_EQ(loopback_port(unix_socket), 0);
}

TEST(RoutesTest, ASocketIsConnectedInItsOwnFamily) {
  for (const sa_family_t family : {sa_family_t{AF_INET}, sa_family_t{AF_INET6}}) {
    const proxy::Endpoint endpoint = loopback_endpoint(40000, family);
    EXPECT_EQ(endpoint.address.ss_family, family);
    EXPECT_EQ(loopback_port(endpoint.address), 40000);
  }
}

class RunFolderTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }
  const fs::path root_ = fs::temp_directory_path() / fmt::format("misrule-folders-{}", ::getpid());
};

TEST_F(RunFolderTest, TheLastTenRunsAreKeptAndLatestPointsAtTheNewest) {
  for (int run = 10; run < 25; ++run) {
    ASSERT_TRUE(make_run_folder(root_, fmt::format("20260101-0000{}-1", run)).has_value());
  }
  std::size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(root_ / ".misrule/runs")) {
    if (!entry.is_symlink()) ++folders;
  }
  EXPECT_EQ(folders, kRunsKept);
  EXPECT_EQ(latest_run_id(root_), "20260101-000024-1");
  EXPECT_FALSE(fs::exists(root_ / ".misrule/runs/20260101-000010-1"));
  std::string ignored;
  std::getline(std::ifstream(root_ / ".misrule/.gitignore"), ignored);
  EXPECT_EQ(ignored, "*");
}

TEST_F(RunFolderTest, ResultsBelongToTheProjectsOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::chown(root_.c_str(), kNobody, kNobody), 0);
  const auto folder = make_run_folder(root_, "20260101-000000-1");
  ASSERT_TRUE(folder.has_value());
  std::ofstream(*folder + "/result.json") << "{}";
  hand_to_owner(root_);
  for (const char* path :
       {".misrule", ".misrule/runs/latest", ".misrule/runs/latest/result.json"}) {
    struct stat facts = {};
    ASSERT_EQ(::lstat((root_ / path).c_str(), &facts), 0) << path;
    EXPECT_EQ(facts.st_uid, kNobody) << path;
  }
}

TEST_F(RunFolderTest, TestsOfOneNameInTwoFilesHaveTheirOwnFolders) {
  const auto first = make_test_folder(root_, "a/shop.star", "test_x");
  const auto second = make_test_folder(root_, "b/shop.star", "test_x");
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(*first, *second);
  const auto hostile = make_test_folder(root_, "shop.star", "../../x");
  ASSERT_TRUE(hostile.has_value());
  EXPECT_EQ(fs::path(*hostile).parent_path(), root_);
}

TEST(ReadinessTest, PostgresSaysWhenItCrashedAndWhenItIsBack) {
  EXPECT_EQ(read_hint("2026 UTC [18] PANIC:  could not write to log file"), LogHint::kCrashed);
  EXPECT_EQ(read_hint("2026 UTC [7] LOG:  terminating any other active server processes"),
            LogHint::kCrashed);
  EXPECT_EQ(read_hint("2026 UTC [7] LOG:  database system is ready to accept connections"),
            LogHint::kAccepts);
  EXPECT_EQ(read_hint("2026 UTC [7] ERROR:  PANIC is only a word here"), LogHint::kNothing);
}

}  // namespace
}  // namespace misrule::controller
