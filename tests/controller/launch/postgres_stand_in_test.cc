// The PostgreSQL stand-in against the real server: what the image's environment asks for is there.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/launch/command.h"
#include "controller/launch/native/postgres_cluster.h"
#include "controller/launch/native/postgres_server.h"
#include "controller/launch/native/postgres_settings.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

class PostgresStandInTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to run a server as its own user";
    if (!native::installed_postgres()) GTEST_SKIP() << "no PostgreSQL server on this machine";
    // Below /var/lib, because the server's user must be able to reach it.
    fs::create_directories("/var/lib/misrule");
    std::string pattern = "/var/lib/misrule/test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ::chmod(folder_.c_str(), 0755);
    options_.spec_file = folder_ + "/shop.star";
    options_.state_folder = folder_;
    std::ofstream(options_.spec_file) << "\n";
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  static model::Service database() {
    return {.name = "db",
            .interfaces = {{.name = "main", .protocol = model::Protocol::kPostgres, .port = 5432}},
            .image = "postgres:16",
            .env = {{"POSTGRES_PASSWORD", "s3cret"}, {"POSTGRES_DB", "shop"}}};
  }

  Result<ServicePlan> planned(const model::Topology& topology) {
    MISRULE_TRY(auto plans, plan_services(topology, options_));
    return plans.front();
  }

  /// The answer of the cloned cluster to `sql`, in single-user mode.
  std::string ask(const ProcessPlan& process, const std::string& database, const std::string& sql) {
    const auto said =
        run_command({.argv = {process.argv[0], "--single", "-D", process.cwd, database},
                     .user = "postgres",
                     .input = sql + "\n"});
    return said ? *said : said.error().what;
  }

  std::string folder_;
  LaunchOptions options_;
};

TEST_F(PostgresStandInTest, S0_7_S0_17_S1_1_S1_10_StepsUseTheOnlyDatabaseThatADependentNames) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  const auto plan_with = [&](const std::string& dsn, bool says_database) {
    model::Service db = database();
    if (!says_database) db.env.pop_back();
    const auto plan =
        planned({.services = {db, {.name = "api", .binary = "sleep", .env = {{"U", dsn}}}}});
    EXPECT_TRUE(plan.has_value()) << plan.error().what;
    return plan.value_or(ServicePlan{});
  };
  const ServicePlan named = plan_with("postgres://test@localhost:5432/testdb", false);
  EXPECT_EQ(named.step.database, "testdb");
  EXPECT_EQ(named.step.user, "postgres");
  EXPECT_EQ(named.roles_and_databases, (Pairs{{"test", "testdb"}}));
  const ServicePlan said = plan_with("postgres://test@localhost:5432/testdb", true);
  EXPECT_EQ(said.step.database, "shop") << "POSTGRES_DB says it";
  EXPECT_EQ(said.roles_and_databases, (Pairs{{"test", "testdb"}}));
  const ServicePlan own = plan_with("postgres://test@localhost:5432/shop", true);
  EXPECT_EQ(own.roles_and_databases, (Pairs{{"test", ""}})) << "that one is there";
  const ServicePlan role = plan_with("postgres://test@localhost:5432", false);
  EXPECT_EQ(role.roles_and_databases, (Pairs{{"test", "test"}})) << "as libpq understands it";
}

TEST_F(PostgresStandInTest, SaysWhatStandsInForWhat) {
  const auto plan = planned({.services = {database()}});
  ASSERT_TRUE(plan.has_value()) << plan.error().what;
  const auto server = native::find_postgres("postgres:16");
  ASSERT_TRUE(server.has_value());
  const std::string local = server->major == 16 ? "" : "local ";
  EXPECT_EQ(plan->note, "postgres:16 → " + local + "PostgreSQL " + server->version);
  EXPECT_EQ(plan->user, "postgres");
  EXPECT_EQ(plan->step.password, "s3cret");
  EXPECT_EQ(plan->step.database, "shop");
}

TEST_F(PostgresStandInTest, AnInstalledMajorServesTheImagesOfItsTags) {
  const auto servers = native::installed_postgres();
  ASSERT_TRUE(servers.has_value());
  for (const native::PostgresServer& server : *servers) {
    for (const char* tag : {"{}", "{}.1", "{}-alpine", "{}.2-bookworm"}) {
      model::Service exact = database();
      exact.image = fmt::format("docker.io/library/postgres:{}",
                                fmt::format(fmt::runtime(tag), server.major));
      const auto plan = planned({.services = {exact}});
      ASSERT_TRUE(plan.has_value()) << plan.error().what;
      EXPECT_EQ(plan->note, exact.image + " → PostgreSQL " + server.version);
    }
  }
}

TEST_F(PostgresStandInTest, AMajorThatIsNotHereIsServedByDebians) {
  for (const char* image : {"postgres", "postgres:latest", "postgres:9", "postgres:alpine"}) {
    const auto server = native::find_postgres(image);
    ASSERT_TRUE(server.has_value()) << server.error().what;
    EXPECT_TRUE(server->bin_folder.starts_with("/usr/lib/postgresql/")) << server->bin_folder;
  }
}

TEST_F(PostgresStandInTest, EveryInstalledServerTakesItsSeedAndIsWhatItSays) {
  std::ofstream(folder_ + "/seed.sql") << "create table seeded as select 77 as id;";
  const auto servers = native::installed_postgres();
  ASSERT_TRUE(servers.has_value());
  for (const native::PostgresServer& server : *servers) {
    model::Service seeded = database();
    seeded.image = fmt::format("postgres:{}", server.major);
    seeded.seed = model::Seed{.sql_file = folder_ + "/seed.sql"};
    const auto plan = planned({.services = {seeded}});
    ASSERT_TRUE(plan.has_value()) << plan.error().what;
    const Status made = prepare_service(*plan, {});
    ASSERT_TRUE(made.has_value()) << made.error().what;
    const std::string world = fmt::format("{}/{}", folder_, server.major);
    fs::create_directories(world);
    const auto process = materialise_service(*plan, world);
    ASSERT_TRUE(process.has_value()) << process.error().what;
    EXPECT_NE(ask(*process, "shop", "select id from seeded").find("\"77\""), std::string::npos);
    EXPECT_NE(ask(*process, "shop", "show server_version").find(server.version), std::string::npos);
  }
}

TEST_F(PostgresStandInTest, WithoutAPasswordItIsRefusedAsTheImageIs) {
  model::Service bare = database();
  bare.env.clear();
  const auto plan = planned({.services = {bare}});
  ASSERT_FALSE(plan.has_value());
  EXPECT_NE(plan.error().what.find("POSTGRES_PASSWORD"), std::string::npos);
}

TEST_F(PostgresStandInTest, TheImagesArgumentsAreTheServersOptions) {
  using Words = std::vector<std::string>;
  for (const Words& args :
       {Words{"-c", "max_connections=17"}, Words{"postgres", "-c", "max_connections=17"}}) {
    model::Service tuned = database();
    tuned.args = args;
    const auto plan = planned({.services = {tuned}});
    ASSERT_TRUE(plan.has_value()) << plan.error().what;
    ASSERT_TRUE(prepare_service(*plan, {}).has_value());
    const auto process = materialise_service(*plan, folder_);
    ASSERT_TRUE(process.has_value()) << process.error().what;
    const Words tail(process->argv.end() - 2, process->argv.end());
    EXPECT_EQ(tail, (Words{"-c", "max_connections=17"}));
    EXPECT_EQ(std::ranges::count(process->argv, "postgres"), 0);
  }
}

TEST_F(PostgresStandInTest, AnotherProgramInItsPlaceIsRefused) {
  model::Service shell = database();
  shell.args = {"bash", "-c", "true"};
  const auto plan = planned({.services = {shell}});
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code, Code::kInvalid);
  EXPECT_NE(
      plan.error().what.find("args= begins with \"bash\": the stand-in runs the server alone"),
      std::string::npos)
      << plan.error().what;
}

// What only a client's DSN names is there, and steps find it.
TEST_F(PostgresStandInTest, S0_7_S0_17_S1_10_RolesDatabasesAndSeedAreThereInEveryClone) {
  model::Service seeded = database();
  std::ofstream(folder_ + "/schema.sql")
      << "CREATE TABLE orders (id int);\nINSERT INTO orders VALUES (7);\n";
  seeded.seed = model::Seed{.sql_file = folder_ + "/schema.sql"};
  const model::Service api{
      .name = "api", .binary = "sleep", .env = {{"DSN", "postgres://worker@localhost:5432/jobs"}}};
  const auto plan = planned({.services = {seeded, api}});
  ASSERT_TRUE(plan.has_value()) << plan.error().what;
  int made = 0;
  const Progress progress = [&](std::string_view) { ++made; };
  const Status prepared = prepare_service(*plan, progress);
  ASSERT_TRUE(prepared.has_value()) << prepared.error().what;
  ASSERT_TRUE(prepare_service(*plan, progress).has_value());
  EXPECT_EQ(made, 1) << "the second preparation finds the first one's cluster";

  const auto process = materialise_service(*plan, folder_);
  ASSERT_TRUE(process.has_value()) << process.error().what;
  EXPECT_NE(ask(*process, "shop", "SELECT id FROM orders;").find("id = \"7\""), std::string::npos);
  EXPECT_NE(ask(*process, "jobs", "SELECT current_database();").find("jobs"), std::string::npos);
  EXPECT_NE(ask(*process, "shop", "SELECT rolname FROM pg_roles WHERE rolcanlogin;").find("worker"),
            std::string::npos);
  struct stat facts{};
  ASSERT_EQ(::stat(process->cwd.c_str(), &facts), 0);
  EXPECT_NE(facts.st_uid, 0U) << "the server's user owns its data";
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(PostgresStandInTest, AFailingSeedIsToldInTheServersWords) {
  model::Service seeded = database();
  std::ofstream(folder_ + "/schema.sql")
      << "CREATE TABLE t (id int);\nINSERT INTO missing VALUES (1);\n";
  seeded.seed = model::Seed{.sql_file = folder_ + "/schema.sql"};
  const auto plan = planned({.services = {seeded}});
  ASSERT_TRUE(plan.has_value()) << plan.error().what;
  const Status prepared = prepare_service(*plan, {});
  ASSERT_FALSE(prepared.has_value());
  EXPECT_EQ(prepared.error().code, Code::kInvalid) << "the spec's fault, not the machine's";
  EXPECT_TRUE(prepared.error().what.starts_with("seed " + folder_ +
                                                "/schema.sql:2: ERROR:  relation \"missing\" does "
                                                "not exist\nLINE 1: INSERT INTO missing"))
      << prepared.error().what;
}

TEST_F(PostgresStandInTest, OldClustersMakeRoomButThoseInUse) {
  const fs::path cache = fs::path(folder_) / "cache";
  fs::create_directories(cache);
  const auto old_one = [&cache](int number) {
    return (cache / fmt::format("postgres-1.0-{:02}", number)).string();
  };
  std::vector<UniqueFd> holds;
  for (int number = 0; number < 12; ++number) {
    fs::create_directory(old_one(number));
    auto hold = native::hold_cluster(old_one(number));
    ASSERT_TRUE(hold.has_value()) << hold.error().what;
    const timespec when = {.tv_sec = 1000 + number, .tv_nsec = 0};
    const timespec times[2] = {when, when};
    ASSERT_EQ(::futimens(hold->fd(), times), 0);
    if (number == 1) holds.push_back(*std::move(hold));
  }
  const auto plan = planned({.services = {database()}});
  ASSERT_TRUE(plan.has_value()) << plan.error().what;
  const auto mine = hold_service(*plan);
  ASSERT_TRUE(mine.has_value()) << mine.error().what;
  ASSERT_TRUE(prepare_service(*plan, {}).has_value());
  std::vector<int> left;
  for (int number = 0; number < 12; ++number) {
    if (fs::exists(old_one(number))) left.push_back(number);
    EXPECT_EQ(fs::exists(old_one(number)), fs::exists(old_one(number) + ".used")) << number;
  }
  EXPECT_EQ(left, (std::vector<int>{1, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_TRUE(materialise_service(*plan, folder_).has_value()) << "the one just made stays";
}

}  // namespace
}  // namespace misrule::controller
