#include "controller/launch/native/postgres_cluster.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/unique_fd.h"
#include "controller/launch/accounts.h"
#include "controller/launch/command.h"

namespace misrule::controller::native {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServerUser = "postgres";

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result.push_back(quote);
    result.push_back(c);
  }
  result.push_back(quote);
  return result;
}

std::string identifier(std::string_view name) { return quoted(name, '"'); }

Status write_file(const std::string& path, std::string_view text, const Account& owner) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return std::unexpected(errno_error("creating " + path, errno));
  const ssize_t written = ::write(file.fd(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) ||
      ::fchown(file.fd(), owner.uid, owner.gid) != 0) {
    return std::unexpected(errno_error("writing " + path, errno));
  }
  return {};
}

Status make_folder(const std::string& path, const Account& owner) {
  if (::mkdir(path.c_str(), 0700) != 0 || ::chown(path.c_str(), owner.uid, owner.gid) != 0) {
    return std::unexpected(errno_error("creating " + path, errno));
  }
  return {};
}

/// Makes one cluster in a folder of its own.
class ClusterMaker {
 public:
  ClusterMaker(std::string folder, const PostgresServer& server, const PostgresSettings& settings,
               Account owner)
      : folder_(std::move(folder)),
        data_(folder_ + "/data"),
        server_(server),
        settings_(settings),
        owner_(std::move(owner)) {}

  Status make() {
    MISRULE_TRY_VOID(make_folder(folder_, owner_));
    MISRULE_TRY_VOID(init());
    MISRULE_TRY_VOID(create_databases());
    MISRULE_TRY_VOID(write_file(data_ + "/pg_hba.conf", host_rules(), owner_));
    return seed();
  }

 private:
  Status init() {
    const std::string password_file = folder_ + "/password";
    Command command = server_command("initdb");
    for (const char* argument : {"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
                                 "--no-sync", "--no-instructions"}) {
      command.argv.emplace_back(argument);
    }
    command.argv.insert(command.argv.end(), {"--username", settings_.user, "-D", data_});
    if (!settings_.password.empty()) {
      MISRULE_TRY_VOID(write_file(password_file, settings_.password + "\n", owner_));
      command.argv.push_back("--pwfile=" + password_file);
    } else {
      command.argv[1] = "--auth=trust";
    }
    command.argv.insert(command.argv.end(), settings_.initdb_args.begin(),
                        settings_.initdb_args.end());
    const auto done = run_command(command);
    ::unlink(password_file.c_str());
    if (!done) return std::unexpected(done.error());
    return {};
  }

  Status create_databases() {
    if (settings_.database != "postgres") {
      MISRULE_TRY_VOID(execute("postgres", "CREATE DATABASE " + identifier(settings_.database)));
    }
    for (const auto& [role, database] : settings_.roles_and_databases) {
      MISRULE_TRY_VOID(create_for_dsn(role, database));
    }
    return {};
  }

  // A role and a database that only another service's DSN names: the role owns that database, and
  // may create tables in the others.
  Status create_for_dsn(const std::string& role, const std::string& database) {
    const std::string owner = role.empty() ? settings_.user : role;
    if (!role.empty()) {
      MISRULE_TRY_VOID(
          execute("postgres", fmt::format("DO $$BEGIN CREATE ROLE {} LOGIN; EXCEPTION WHEN "
                                          "duplicate_object THEN NULL; END$$",
                                          identifier(role))));
    }
    if (!database.empty()) {
      const auto made = execute("postgres", fmt::format("CREATE DATABASE {} OWNER {}",
                                                        identifier(database), identifier(owner)));
      const bool there = !made && made.error().what.contains("already exists");
      if (!made && !there) return made;
    }
    if (role.empty()) return {};
    const std::string grant = "GRANT CREATE ON SCHEMA public TO " + identifier(role);
    for (const std::string& name :
         {settings_.database, database.empty() ? settings_.database : database}) {
      MISRULE_TRY_VOID(execute(name, grant));
    }
    return {};
  }

  // In single-user mode: no server, no sockets. Errors are printed, the exit status says nothing.
  Status execute(const std::string& database, const std::string& sql) {
    Command command = server_command("postgres");
    command.argv.insert(command.argv.end(), {"--single", "-F", "-D", data_, database});
    command.input = sql + "\n";
    MISRULE_TRY(const std::string said, run_command(command));
    const std::size_t error = said.find("ERROR:");
    if (error == std::string::npos) return {};
    return fail(Code::kIo,
                fmt::format("{}: {}", sql, said.substr(error, said.find('\n', error) - error)));
  }

  // Everybody who connects to a world's server comes over its loopback, as everybody who connects
  // to a container comes over its network: the image's rule for hosts holds for all.
  std::string host_rules() const {
    std::string rules = "local all all trust\n";
    for (const auto& [role, database] : settings_.roles_and_databases) {
      if (!role.empty()) rules += fmt::format("host all {} all trust\n", identifier(role));
    }
    return rules + fmt::format("host all all all {0}\nhost replication all all {0}\n",
                               settings_.auth_method);
  }

  Status seed() {
    if (settings_.seed_sql.empty()) return {};
    Command start = server_command("pg_ctl");
    start.argv.insert(start.argv.end(),
                      {"-D", data_, "-w", "-l", folder_ + "/seed.log", "-o",
                       fmt::format("-F -c listen_addresses='' -k '{}'", folder_), "start"});
    if (const auto started = run_command(start); !started) return std::unexpected(started.error());
    Command psql = server_command("psql");
    psql.argv.insert(psql.argv.end(), {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", "-h",
                                       folder_, "-U", settings_.user, "-d", settings_.database});
    psql.input = settings_.seed_sql;
    const auto seeded = run_command(psql);
    Command stop = server_command("pg_ctl");
    stop.argv.insert(stop.argv.end(), {"-D", data_, "-w", "-m", "fast", "stop"});
    const auto stopped = run_command(stop);
    if (!seeded) return std::unexpected(Error(seeded.error()).with("the seed"));
    if (!stopped) return std::unexpected(stopped.error());
    return {};
  }

  Command server_command(const char* tool) const {
    return {.argv = {server_.bin_folder + "/" + tool}, .cwd = folder_, .user = kServerUser};
  }

  std::string folder_;
  std::string data_;
  const PostgresServer& server_;
  const PostgresSettings& settings_;
  Account owner_;
};

// Waits for other makers of the same cluster; released with the descriptor, also when we are
// killed.
Result<UniqueFd> lock_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return std::unexpected(errno_error("opening " + path, errno));
  while (::flock(file.fd(), LOCK_EX) != 0) {
    if (errno != EINTR) return std::unexpected(errno_error("locking " + path, errno));
  }
  return file;
}

}  // namespace

std::string cluster_folder(const std::string& state_folder, const PostgresServer& server,
                           const PostgresSettings& settings) {
  constexpr std::uint64_t kLayout = 1;  // Counts changes of what a cluster folder holds.
  return fmt::format("{}/cache/postgres-{}-{:016x}", state_folder, server.version,
                     stable_hash(settings.fingerprint(), kLayout));
}

Status ensure_cluster(const std::string& folder, const PostgresServer& server,
                      const PostgresSettings& settings, const Progress& progress) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  if (error) return fail(Code::kIo, fmt::format("creating {}: {}", folder, error.message()));
  MISRULE_TRY(const UniqueFd lock, lock_file(folder + ".lock"));
  if (fs::exists(folder, error)) return {};
  if (progress) progress(fmt::format("making a PostgreSQL {} cluster (once)", server.version));
  MISRULE_TRY(Account owner, find_account(kServerUser));
  const std::string making = folder + ".making";
  fs::remove_all(making, error);  // Of a maker that was killed: we hold its lock.
  const Status made = ClusterMaker(making, server, settings, std::move(owner)).make();
  if (!made) {
    fs::remove_all(making, error);
    return std::unexpected(Error(made.error()).with("making a PostgreSQL cluster"));
  }
  if (::rename(making.c_str(), folder.c_str()) != 0) {
    return std::unexpected(errno_error("renaming " + making, errno));
  }
  return {};
}

}  // namespace misrule::controller::native
