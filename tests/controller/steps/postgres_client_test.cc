#include <thread>

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "controller/steps/steps.h"
#include "tests/controller/steps/scratch_postgres.h"

namespace misrule::controller {
namespace {

using dsl::SqlStep;
using dsl::StepReply;
using std::chrono::milliseconds;

class PostgresClient : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = ScratchPostgres::start(why_); }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << why_;
    target_ = {
        .port = server_->port(), .user = "anna", .password = "s3cret", .database = "postgres"};
  }
  StepReply run(const SqlStep& step, Duration timeout = std::chrono::seconds(20), int fd = -1) {
    return run_step({.step = step, .timeout = timeout}, target_, fd);
  }
  StepReply query(const std::string& sql) { return run({.sql = sql}); }
  StepReply exec(const std::string& sql) { return run({.sql = sql, .wants_rows = false}); }

  static inline std::unique_ptr<ScratchPostgres> server_;
  static inline std::string why_;
  StepTarget target_;
};

TEST_F(PostgresClient, RowsAreObjectsInColumnOrder) {
  const auto reply = query(
      "SELECT 1::int8 AS n, 'x' AS t, true AS b, NULL AS z, 1.50::numeric AS d,"
      " '{\"k\": [1]}'::jsonb AS j, 2 AS n, sum(v) AS s FROM (VALUES (1::int8), (2)) AS v(v)");
  EXPECT_TRUE(reply.ok) << reply.error;
  EXPECT_EQ(reply.data.text,
            R"([{"n":1,"t":"x","b":true,"z":null,"d":1.50,"j":{"k": [1]},"n_2":2,"s":3}])");
  EXPECT_EQ(reply.body, "SELECT 1");
  EXPECT_EQ(reply.status, 0);
  EXPECT_GT(reply.took.count(), 0);
}

TEST_F(PostgresClient, ExecCountsRows) {
  EXPECT_EQ(exec("DROP TABLE IF EXISTS counted; CREATE TABLE counted (v int)").data.text, "0");
  EXPECT_EQ(exec("INSERT INTO counted SELECT generate_series(1, 7)").data.text, "7");
  EXPECT_EQ(exec("UPDATE counted SET v = 0 WHERE v > 4").data.text, "3");
  EXPECT_EQ(query("SELECT count(*) AS n FROM counted").data.text, R"([{"n":7}])");
  EXPECT_EQ(query("DELETE FROM counted").data.text, "[]");
}

TEST_F(PostgresClient, SqlErrorsAreAnswers) {
  const auto reply = query("SELECT 1; SELECT * FROM nowhere");
  EXPECT_FALSE(reply.ok);
  EXPECT_EQ(reply.code, "42P01");
  EXPECT_EQ(reply.error, "relation \"nowhere\" does not exist");
  EXPECT_EQ(reply.data.text, "");
  EXPECT_EQ(query("SELECT 1/(3 - g) FROM generate_series(1, 5) g").code, "22012");
}

TEST_F(PostgresClient, AWrongPasswordSaysSo) {
  target_.password = "wrong";
  target_.proxied = true;
  target_.authority = "localhost:5432";  // Not where it listens: that would be a proxy's port.
  const auto reply = query("SELECT 1");
  EXPECT_EQ(reply.error,
            "connection to server at localhost:5432 failed: FATAL: password authentication failed "
            "for user \"anna\"");
  EXPECT_EQ(reply.code, "28P01");
  const auto probe = probe_postgres(target_, std::chrono::seconds(5));
  ASSERT_FALSE(probe);
  EXPECT_NE(probe.error().what.find("password"), std::string::npos);
}

TEST_F(PostgresClient, UserAndDatabaseOfTheStepWin) {
  EXPECT_EQ(run({.sql = "SELECT current_database()::text AS d", .database = "template1"}).data.text,
            R"([{"d":"template1"}])");
  EXPECT_NE(run({.sql = "SELECT 1", .user = "nobody-here"}).error, "");
}

TEST_F(PostgresClient, ATimeoutEndsTheStep) {
  const auto reply = run({.sql = "SELECT pg_sleep(30)"}, milliseconds(150));
  EXPECT_FALSE(reply.ok);
  EXPECT_EQ(reply.error, "timed out after 150 ms");
  EXPECT_LT(reply.took, std::chrono::seconds(10));
}

TEST_F(PostgresClient, AnInterruptEndsTheStep) {
  const UniqueFd interrupt(::eventfd(0, EFD_CLOEXEC));
  std::jthread later([&] { ::eventfd_write(interrupt.fd(), 1); });
  const auto reply = run({.sql = "SELECT pg_sleep(30)"}, std::chrono::seconds(20), interrupt.fd());
  EXPECT_EQ(reply.error, "interrupted");
}

TEST_F(PostgresClient, ALargeResultArrivesWholeAndAHugeOneMeetsItsBound) {
  const auto large = query("SELECT repeat('x', 1000) AS t FROM generate_series(1, 20000)");
  EXPECT_TRUE(large.ok) << large.error;
  EXPECT_EQ(large.data.text.size(), 20000 * (1000 + 9 - 1) + 20000 + 1U);
  const auto huge = query("SELECT repeat('x', 100000) AS t FROM generate_series(1, 2000)");
  EXPECT_FALSE(huge.ok);
  EXPECT_EQ(huge.error, "the rows exceed 67108864 bytes");
}

TEST_F(PostgresClient, CopyIsRefusedInWords) {
  exec("CREATE TABLE IF NOT EXISTS copied (v int)");
  EXPECT_NE(exec("COPY copied FROM STDIN").error.find("COPY"), std::string::npos);
  EXPECT_NE(query("COPY copied TO STDOUT").error.find("COPY"), std::string::npos);
}

TEST_F(PostgresClient, ProbesWantAnAnswer) {
  EXPECT_TRUE(probe_postgres(target_, std::chrono::seconds(5)));
  EXPECT_TRUE(probe_tcp(target_, std::chrono::seconds(5)));
  // A listener that never answers is not ready.
  const UniqueFd mute(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(mute.fd(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(mute.fd(), 4), 0);
  ::getsockname(mute.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  target_.port = ntohs(address.sin_port);
  EXPECT_TRUE(probe_tcp(target_, std::chrono::seconds(5)));
  const auto probe = probe_postgres(target_, milliseconds(100));
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code, Code::kTimeout);
}

TEST_F(PostgresClient, NobodyListensIsARefusal) {
  target_.port = 1;
  const auto reply = query("SELECT 1");
  EXPECT_FALSE(reply.ok);
  EXPECT_NE(reply.error.find("Connection refused"), std::string::npos) << reply.error;
  EXPECT_EQ(reply.code, "");
  EXPECT_EQ(probe_postgres(target_, milliseconds(500)).error().code, Code::kRefused);
  EXPECT_EQ(probe_tcp(target_, milliseconds(500)).error().code, Code::kRefused);
}

}  // namespace
}  // namespace misrule::controller
