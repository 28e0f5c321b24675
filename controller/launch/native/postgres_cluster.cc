#include "controller/launch/native/postgres_cluster.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ratio>
#include <utility>
#include <vector>

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
                       // Memory of the machine's would stay behind when it is killed.
                       fmt::format("-F -c listen_addresses='' -c dynamic_shared_memory_type=mmap "
                                   "-k '{}'",
                                   folder_),
                       "start"});
    if (const auto started = run_command(start); !started) return std::unexpected(started.error());
    Command psql = server_command("psql");
    psql.argv.insert(psql.argv.end(), {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", "-h",
                                       folder_, "-U", settings_.user, "-d", settings_.database});
    psql.input = settings_.seed_sql;
    const auto seeded = run_command(psql);
    Command stop = server_command("pg_ctl");
    stop.argv.insert(stop.argv.end(), {"-D", data_, "-w", "-m", "fast", "stop"});
    const auto stopped = run_command(stop);
    if (!seeded) return std::unexpected(seed_error(seeded.error()));
    if (!stopped) return std::unexpected(stopped.error());
    return {};
  }

  /// What the server said of a statement, with the seed's file and line: that is the spec's fault.
  Error seed_error(const Error& error) const {
    constexpr std::string_view kPlace = "psql:<stdin>:";
    std::size_t at = error.what.find(kPlace);
    if (at == std::string::npos) return Error(error).with("the seed");
    std::string said = error.what.substr(at);
    for (at = 0; (at = said.find(kPlace, at)) != std::string::npos;
         at += settings_.seed_file.size()) {
      said.replace(at, kPlace.size() - 1, settings_.seed_file);
    }
    return {.code = Code::kInvalid, .what = "seed " + said};
  }

  Command server_command(const char* tool) const {
    return {.argv = {server_.tool(tool)}, .cwd = folder_, .user = kServerUser};
  }

  std::string folder_;
  std::string data_;
  const PostgresServer& server_;
  const PostgresSettings& settings_;
  Account owner_;
};

bool is_still_at(const UniqueFd& file, const std::string& path) {
  struct stat opened{};
  struct stat there{};
  return ::fstat(file.fd(), &opened) == 0 && ::stat(path.c_str(), &there) == 0 &&
         opened.st_ino == there.st_ino;
}

// Released with the descriptor, also when we are killed. Whoever removes a cluster removes the
// files of its locks while it holds them: a lock on a removed file says nothing.
Result<UniqueFd> lock_file(const std::string& path, int how) {
  while (true) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file.valid()) return std::unexpected(errno_error("opening " + path, errno));
    if (::flock(file.fd(), how) != 0) {
      if (errno == EINTR) continue;
      return std::unexpected(errno_error("locking " + path, errno));
    }
    if (is_still_at(file, path)) return file;
  }
}

std::string use_lock(const std::string& folder) { return folder + ".used"; }
std::string making_lock(const std::string& folder) { return folder + ".lock"; }

/// All that are made, the one that was used last first.
std::vector<std::string> clusters_by_use(const fs::path& cache) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(cache, error)) {
    const std::string folder = entry.path().string();
    const bool made = entry.is_directory(error) && !folder.ends_with(".making") &&
                      entry.path().filename().string().starts_with("postgres-");
    if (!made) continue;
    struct stat use{};
    const bool known = ::stat(use_lock(folder).c_str(), &use) == 0;
    found.emplace_back(known ? use.st_mtim.tv_sec * std::nano::den + use.st_mtim.tv_nsec : 0,
                       folder);
  }
  std::ranges::sort(found, std::greater());
  std::vector<std::string> folders;
  folders.reserve(found.size());
  for (auto& [used, folder] : found) folders.push_back(std::move(folder));
  return folders;
}

void remove_unused(const std::string& folder) {
  const auto use = lock_file(use_lock(folder), LOCK_EX | LOCK_NB);
  if (!use) return;
  const auto making = lock_file(making_lock(folder), LOCK_EX | LOCK_NB);
  if (!making) return;
  // By rename: what a killed remover leaves is swept as what a killed maker leaves.
  if (::rename(folder.c_str(), (folder + ".making").c_str()) != 0) return;
  std::error_code error;
  fs::remove_all(folder + ".making", error);
  ::unlink(use_lock(folder).c_str());
  ::unlink(making_lock(folder).c_str());
}

void drop_old_clusters(const fs::path& cache) {
  const std::vector<std::string> folders = clusters_by_use(cache);
  for (std::size_t i = kClustersKept; i < folders.size(); ++i) remove_unused(folders[i]);
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
  MISRULE_TRY(const UniqueFd lock, lock_file(making_lock(folder), LOCK_EX));
  if (fs::exists(folder, error)) return {};
  if (progress) progress(fmt::format("making a PostgreSQL {} cluster (once)", server.version));
  MISRULE_TRY(Account owner, find_account(kServerUser));
  const std::string making = folder + ".making";
  fs::remove_all(making, error);  // Of a maker that was killed: we hold its lock.
  const Status made = ClusterMaker(making, server, settings, std::move(owner)).make();
  if (!made) {
    fs::remove_all(making, error);
    if (made.error().code == Code::kInvalid) return made;
    return std::unexpected(Error(made.error()).with("making a PostgreSQL cluster"));
  }
  if (::rename(making.c_str(), folder.c_str()) != 0) {
    return std::unexpected(errno_error("renaming " + making, errno));
  }
  drop_old_clusters(fs::path(folder).parent_path());
  return {};
}

Result<UniqueFd> hold_cluster(const std::string& folder) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  if (error) return fail(Code::kIo, fmt::format("creating {}: {}", folder, error.message()));
  MISRULE_TRY(UniqueFd lock, lock_file(use_lock(folder), LOCK_SH));
  ::futimens(lock.fd(), nullptr);
  return lock;
}

}  // namespace misrule::controller::native
