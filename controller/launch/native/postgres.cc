#include "controller/launch/native/postgres.h"

#include <filesystem>

#include <fmt/format.h>

#include "controller/launch/accounts.h"
#include "controller/launch/native/copy_tree.h"
#include "controller/launch/native/postgres_cluster.h"
#include "controller/launch/native/postgres_server.h"
#include "controller/launch/native/postgres_settings.h"

namespace misrule::controller::native {
namespace {

// Without POSTGRES_DB a step uses the only database that a dependent's DSN names.
std::string step_database(const ServicePlan& plan, const PostgresSettings& settings) {
  std::string only = settings.database;
  std::size_t named = 0;
  for (const auto& [role, database] : plan.roles_and_databases) {
    if (database.empty() || database == only) continue;
    only = database;
    ++named;
  }
  const bool said = std::ranges::any_of(
      plan.service.env, [](const auto& entry) { return entry.first == "POSTGRES_DB"; });
  return said || named != 1 ? settings.database : only;
}

/// What the image makes of its CMD: options go to the server, and any other program would run in
/// its place.
Result<std::vector<std::string>> server_options(const model::Service& service) {
  std::vector<std::string> options = service.args;
  if (options.empty() || options.front().starts_with('-')) return options;
  if (options.front() != "postgres") {
    return fail(Code::kInvalid,
                fmt::format("args= begins with {:?}: the stand-in runs the server alone; options "
                            "of it are given as the image takes them, [\"-c\", \"name=value\"] or "
                            "[\"postgres\", \"-c\", ...]",
                            options.front()),
                "args");
  }
  options.erase(options.begin());
  return options;
}

}  // namespace

Result<std::string> PostgresStandIn::find_server() const {
  MISRULE_TRY(const std::vector<PostgresServer> servers, installed_postgres());
  std::string found;
  for (const PostgresServer& server : servers) {
    found += fmt::format("{}PostgreSQL {} ({})", found.empty() ? "" : ", ", server.version,
                         server.bin_folder);
  }
  return found;
}

Status PostgresStandIn::plan(ServicePlan& plan) const {
  MISRULE_TRY(const PostgresServer server, find_postgres(plan.service.image));
  MISRULE_TRY(const PostgresSettings settings, postgres_settings(plan));
  MISRULE_TRY(const std::vector<std::string> options, server_options(plan.service));
  plan.user = "postgres";
  const bool exact = server.major == postgres_major(plan.service.image);
  plan.note = fmt::format("{} → {}PostgreSQL {}", plan.service.image, exact ? "" : "local ",
                          server.version);
  plan.step.port = postgres_port(plan.service);
  plan.step.user = settings.user;
  plan.step.password = settings.password;
  plan.step.database = step_database(plan, settings);
  return {};
}

Result<UniqueFd> PostgresStandIn::hold(const ServicePlan& plan) const {
  MISRULE_TRY(const PostgresServer server, find_postgres(plan.service.image));
  MISRULE_TRY(const PostgresSettings settings, postgres_settings(plan));
  return hold_cluster(cluster_folder(plan.state_folder, server, settings));
}

Status PostgresStandIn::prepare(const ServicePlan& plan, const Progress& progress) const {
  MISRULE_TRY(const PostgresServer server, find_postgres(plan.service.image));
  MISRULE_TRY(const PostgresSettings settings, postgres_settings(plan));
  return ensure_cluster(cluster_folder(plan.state_folder, server, settings), server, settings,
                        progress);
}

Result<ProcessPlan> PostgresStandIn::materialise(const ServicePlan& plan,
                                                 const std::string& world_folder) const {
  MISRULE_TRY(const PostgresServer server, find_postgres(plan.service.image));
  MISRULE_TRY(const PostgresSettings settings, postgres_settings(plan));
  const std::string cluster = cluster_folder(plan.state_folder, server, settings);
  const std::string data = world_folder + "/" + plan.service.name;
  std::error_code error;
  if (!std::filesystem::exists(data, error)) {
    MISRULE_TRY(const Account owner, find_account(plan.user));
    MISRULE_TRY_VOID(copy_tree(cluster + "/data", data, owner));
  }
  // fsync stays on: durability is what is tested.
  ProcessPlan process{
      .argv = {server.bin_folder + "/postgres", "-D", data, "-p", fmt::format("{}", plan.step.port),
               "-c", "listen_addresses=localhost", "-c", "unix_socket_directories=/tmp"},
      .env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"PGDATA", data}},
      .cwd = data,
      .user = plan.user};
  if (plan.service.wal_stream) {
    process.argv.insert(process.argv.end(), {"-c", "wal_level=logical"});
  }
  MISRULE_TRY(const std::vector<std::string> options, server_options(plan.service));
  process.argv.insert(process.argv.end(), options.begin(), options.end());
  return process;
}

}  // namespace misrule::controller::native
