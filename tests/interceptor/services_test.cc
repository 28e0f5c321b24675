// Faults on programs as people run them: static Go, Python, PostgreSQL.

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/unique_fd.h"
#include "tests/interceptor/harness.h"

namespace misrule::interceptor {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class GoProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(program("goprogram"))) GTEST_SKIP() << "Go is not installed";
  }
  Ended run(const std::string& act, const std::string& on, int error) {
    return bench_.run({.argv = {program("goprogram"), act, on, std::to_string(error)},
                       .families = {"write", "fsync"}});
  }
  Bench bench_;
};

TEST_F(GoProgram, WritesAreDenied) {
  const TestFolder folder;
  EXPECT_THAT(run("write", folder.path() + "/x", 0).output, HasSubstr("EXIT-SUCCESS"));
  bench_.arm({deny(rule_on("full", "write", "*/x"), "ENOSPC")});
  EXPECT_THAT(run("write", folder.path() + "/x", ENOSPC).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench_.tally("full").fired, 8U);
}

TEST_F(GoProgram, ConnectsAreRedirectedAndDenied) {
  GreetingServer proxy("proxy");
  bench_.router.redirect(25432, proxy.port(), "db");
  for (const char* address : {"127.0.0.1:25432", "[::1]:25432", "localhost:25432"}) {
    const Ended ended = run("connect", address, 0);
    EXPECT_THAT(ended.output, HasSubstr("greeting proxy"));
    EXPECT_THAT(ended.output, HasSubstr("EXIT-SUCCESS"));
  }
  EXPECT_EQ(proxy.accepted(), 12U);
  bench_.arm({deny(rule_on("down", "connect"), "ENETUNREACH")});
  EXPECT_THAT(run("connect", "127.0.0.1:25432", ENETUNREACH).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench_.tally("down").fired, 4U);
}

TEST_F(GoProgram, WritesAreDelayed) {
  const TestFolder folder;
  bench_.arm({delay(rule_on("slow", "write", "*/x"), 100)});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(run("write", folder.path() + "/x", 0).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
  EXPECT_EQ(bench_.tally("slow").fired, 8U);
}

constexpr const char* kPython = R"(
import errno, os, socket, sys
expected, folder = int(sys.argv[1]), sys.argv[2]
def outcome(act):
    try:
        act()
        return 0
    except OSError as error:
        return error.errno
def write():
    with open(folder + '/x', 'ab', 0) as file:
        file.write(b'text')
def connect():
    with socket.create_connection(('localhost', 25432), timeout=5) as s:
        assert s.recv(100) == b'proxy', 'greeting'
def fork():
    # The child's outcome is the parent's: rules reach every descendant.
    pid = os.fork()
    if pid == 0:
        os._exit(outcome(write))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == expected
found = [outcome(write), outcome(connect)]
fork()
print(found)
assert found == [expected, expected]
print('EXIT-SUCCESS')
)";

TEST(Python, IsDeniedAndItsChildrenToo) {
  const TestFolder folder;
  Bench bench;
  GreetingServer proxy("proxy");
  bench.router.redirect(25432, proxy.port(), "db");
  const auto run = [&](int error) {
    return bench.run(
        {.argv = {"/usr/bin/python3", "-c", kPython, std::to_string(error), folder.path()},
         .families = {"write"}});
  };
  EXPECT_THAT(run(0).output, HasSubstr("EXIT-SUCCESS"));
  bench.arm({deny(rule_on("full", "write", folder.path() + "/*"), "EIO"),
             deny(rule_on("down", "connect"), "EIO")});
  EXPECT_THAT(run(EIO).output, HasSubstr("EXIT-SUCCESS"));
  EXPECT_EQ(bench.tally("full").fired, 2U);
  // Every address that localhost has.
  EXPECT_GE(bench.tally("down").fired, 1U);
}

TEST(Python, AnUnpathedWriteSparesItsOutput) {
  const TestFolder folder;
  Bench bench;
  bench.arm({deny(rule_on("full", "write"), "ENOSPC")});
  const Ended ended = bench.run({.argv = {"/usr/bin/python3", "-c",
                                          "import os\nprint('before')\n"
                                          "try: open('" +
                                              folder.path() +
                                              "/x', 'wb', 0).write(b'x')\n"
                                              "except OSError as e: print(e.errno)"},
                                 .families = {"write"}});
  EXPECT_EQ(ended.output, fmt::format("before\n{}\n", ENOSPC));
  EXPECT_EQ(bench.tally("full").fired, 1U);
}

constexpr const char* kReader = R"(
import socket
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
while True:
    with server.accept()[0] as client:
        try:
            print('read', client.recv(10).decode(), flush=True)
        except OSError as error:
            print('errno', error.errno, flush=True)
)";

// A bound socket's port is known before its server can be asked about it.
class Client {
 public:
  Client() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    MISRULE_CHECK(socket_.valid());
    own_.sin_family = AF_INET;
    own_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_.fd(), reinterpret_cast<const sockaddr*>(&own_), sizeof(own_)), 0);
    socklen_t size = sizeof(own_);
    getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&own_), &size);
  }
  std::uint16_t port() const { return ntohs(own_.sin_port); }
  void say(const std::string& word, std::uint16_t server_port) {
    sockaddr_in to = own_;
    to.sin_port = htons(server_port);
    EXPECT_EQ(connect(socket_.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    EXPECT_EQ(send(socket_.fd(), word.data(), word.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(word.size()));
  }

 private:
  sockaddr_in own_ = {};
  UniqueFd socket_;
};

TEST(Python, AnObserversConnectionIsSpared) {
  Bench bench;
  auto server = bench.start({.argv = {"/usr/bin/python3", "-c", kReader}, .families = {"read"}});
  ASSERT_TRUE(server) << server.error().what;
  const auto port = static_cast<std::uint16_t>(std::stoi(server->read_line()));
  const auto says = [&](bool observes) {
    Client client;
    if (observes) bench.router.observe(client.port());
    client.say("hello", port);
    return server->read_line();
  };
  EXPECT_EQ(says(false), "read hello") << "without the rule";
  bench.arm({deny(rule_on("cut", "read"), "ECONNRESET")});
  EXPECT_EQ(says(true), "read hello");
  EXPECT_EQ(bench.tally("cut").fired, 0U);
  EXPECT_THAT(bench.tally("cut").near_misses,
              ::testing::Contains("1x recvfrom of an observer's connection"));
  EXPECT_EQ(says(false), fmt::format("errno {}", ECONNRESET));
  EXPECT_EQ(bench.tally("cut").fired, 1U);
}

constexpr const char* kPostgresBin = "/usr/lib/postgresql/15/bin";

struct CommandResult {
  int code = -1;
  std::string output;
};

CommandResult shell(const std::string& command) {
  CommandResult out;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>&1").c_str(), "re"),
                                                   [](FILE*) { return 0; });
  if (!pipe) return out;
  std::array<char, 4096> chunk = {};
  std::size_t count = 0;
  while ((count = fread(chunk.data(), 1, chunk.size(), pipe.get())) > 0) {
    out.output.append(chunk.data(), count);
  }
  const int status = pclose(pipe.get());
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

class Postgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kPostgresBin)) GTEST_SKIP() << "PostgreSQL 15 is not installed";
    const CommandResult made =
        as_postgres(fmt::format("{}/initdb -N -A trust -D {}", kPostgresBin, cluster()));
    ASSERT_EQ(made.code, 0) << made.output;
    auto running = bench_.start({.argv = {std::string(kPostgresBin) + "/postgres", "-D", cluster(),
                                          "-k", folder_.path(), "-c", "listen_addresses=", "-c",
                                          "recovery_init_sync_method=syncfs", "-p", "25433"},
                                 .families = {"write", "fsync"},
                                 .user = "postgres",
                                 .directory = folder_.path(),
                                 .service = "db"});
    ASSERT_TRUE(running.has_value()) << running.error().what;
    server_ = std::make_unique<Running>(*std::move(running));
    ASSERT_TRUE(becomes_ready());
  }
  void TearDown() override {
    if (server_) kill(server_->pid(), SIGINT);
    if (server_) server_->wait();
  }
  static CommandResult as_postgres(const std::string& command) {
    return shell("cd / && runuser -u postgres -- " + command);
  }
  std::string cluster() const { return folder_.path() + "/cluster"; }
  CommandResult query(const std::string& sql) const {
    return as_postgres(fmt::format("{}/psql -X -A -t -h {} -p 25433 -d postgres -c \"{}\"",
                                   kPostgresBin, folder_.path(), sql));
  }
  bool becomes_ready() const {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (query("SELECT 1").code == 0) return true;
    }
    return false;
  }
  model::Rule on_db(const std::string& family, const std::string& path) const {
    model::Rule out = rule_on("fault", family, path);
    out.mutable_target()->set_service("db");
    return out;
  }

  const TestFolder folder_;
  Bench bench_;
  std::unique_ptr<Running> server_;
};

TEST_F(Postgres, AFullWalDiskIsAPanicAndThenRecovery) {
  ASSERT_EQ(query("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").code, 0);
  model::Rule rule = deny(on_db("write", "*/pg_wal/*"), "ENOSPC");
  rule.mutable_trigger()->set_times(1);
  bench_.arm({rule});
  const CommandResult failed = query("INSERT INTO t VALUES (2)");
  EXPECT_NE(failed.code, 0);
  EXPECT_TRUE(becomes_ready());
  EXPECT_EQ(query("SELECT count(*) FROM t").output, "1\n");
  EXPECT_EQ(query("INSERT INTO t VALUES (3)").code, 0);
  EXPECT_EQ(bench_.tally("fault").fired, 1U);
  const auto events = bench_.sink.of_type("syscall");
  ASSERT_GE(events.size(), 1U);
  EXPECT_EQ(text_of(events.back(), "decision"), "deny(ENOSPC)");
  EXPECT_THAT(text_of(events.back(), "path"), HasSubstr(cluster() + "/pg_wal/0000000"));
  kill(server_->pid(), SIGINT);
  const Ended ended = server_->wait();
  server_.reset();
  EXPECT_THAT(ended.output, HasSubstr("PANIC:  could not write to "));
  EXPECT_THAT(ended.output, HasSubstr("No space left on device"));
  EXPECT_THAT(ended.output, HasSubstr("automatic recovery in progress"));
}

TEST_F(Postgres, SlowFsyncMakesSlowCommits) {
  ASSERT_EQ(query("CREATE TABLE t (n int)").code, 0);
  bench_.arm({delay(on_db("fsync", "*/pg_wal/*"), 400)});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(query("INSERT INTO t VALUES (1)").code, 0);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 400ms);
  EXPECT_GE(bench_.tally("fault").fired, 1U);
  bench_.arm({});
}

}  // namespace
}  // namespace misrule::interceptor
