// Worlds that outlived their run with --keep: entering and ending them.

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "controller/run/privileges.h"
#include "controller/run/run.h"
#include "controller/run/run_folder.h"
#include "controller/run/world/journal.h"

namespace misrule::controller {
namespace {

constexpr int kEndWithinMs = 2000;

struct KeptWorld {
  std::string id = {};
  ProcessName pid_one = {};
};

Result<KeptWorld> find_kept(const std::string& run_id) {
  std::string wanted = run_id;
  if (wanted == "latest") {
    MISRULE_TRY(const std::string directory, working_directory());
    wanted = latest_run_id(directory);
  }
  const std::vector<std::string> worlds =
      wanted.empty() ? std::vector<std::string>() : find_kept_worlds(wanted);
  if (worlds.size() != 1) {
    const std::vector<std::string> all = find_kept_worlds("");
    return fail(Code::kNotFound,
                fmt::format("run {} keeps no world; kept: {}", run_id,
                            all.empty() ? "none" : fmt::format("{}", fmt::join(all, ", "))));
  }
  const auto pid_one = recorded_pid_one(worlds.front());
  if (!pid_one || !is_alive(*pid_one)) {
    return fail(Code::kNotFound, fmt::format("the world of run {} has ended", run_id));
  }
  return KeptWorld{.id = worlds.front(), .pid_one = *pid_one};
}

/// All namespaces are opened before the first is entered: its /proc would not show the others.
Status join_namespaces(pid_t pid) {
  constexpr std::array<const char*, 4> kKinds = {"pid", "net", "ipc", "mnt"};
  std::vector<UniqueFd> namespaces;
  for (const char* kind : kKinds) {
    const std::string path = fmt::format("/proc/{}/ns/{}", pid, kind);
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return std::unexpected(errno_error(path, errno));
    namespaces.push_back(std::move(fd));
  }
  for (const UniqueFd& fd : namespaces) {
    if (::setns(fd.fd(), 0) != 0) return std::unexpected(errno_error("setns", errno));
  }
  return {};
}

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& directory) {
  static_cast<void>(!::chdir(directory.c_str()));
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  fmt::print(stderr, "misrule: {}: cannot be started\n", command[0]);
  ::_exit(127);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

constexpr int kCannotEnter = 3;

// Runs in a process of its own, so that misrule itself stays where it is: a process that has joined
// another pid namespace can start no helper for itself any more (a leak checker does at its end).
[[noreturn]] void enter(pid_t pid_one, const std::vector<std::string>& command,
                        const std::string& directory) {
  if (const Status joined = join_namespaces(pid_one); !joined) {
    fmt::print(stderr, "misrule: {}\n", joined.error().what);
    ::_exit(kCannotEnter);
  }
  // A pid namespace is entered by children only.
  const pid_t child = ::fork();
  if (child == 0) become(command, directory);
  ::_exit(child < 0 ? kCannotEnter : wait_for(child));
}

}  // namespace

Result<int> enter_run(const std::string& run_id, const std::vector<std::string>& command) {
  MISRULE_TRY_VOID(check_privileges());
  MISRULE_TRY(const KeptWorld world, find_kept(run_id));
  MISRULE_TRY(const std::string directory, working_directory());
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(errno_error("fork", errno));
  if (child == 0) {
    enter(world.pid_one.pid, command.empty() ? std::vector<std::string>{"/bin/bash"} : command,
          directory);
  }
  return wait_for(child);
}

Status end_run(const std::string& run_id) {
  MISRULE_TRY(const KeptWorld world, find_kept(run_id));
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, world.pid_one.pid, 0)));
  if (!pidfd.valid()) return std::unexpected(errno_error("pidfd_open", errno));
  // The pid may have passed to another process between the look and the open.
  if (!is_alive(world.pid_one)) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd.fd(), SIGKILL, nullptr, 0) != 0) {
    return std::unexpected(errno_error("ending the world", errno));
  }
  pollfd wait = {.fd = pidfd.fd(), .events = POLLIN, .revents = 0};
  ::poll(&wait, 1, kEndWithinMs);
  remove_world_folder(world.id);
  return {};
}

}  // namespace misrule::controller
