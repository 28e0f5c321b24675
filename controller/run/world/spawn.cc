#include "controller/run/world/spawn.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

constexpr int kExitNotStarted = 127;

[[noreturn]] void give_up(std::string_view what) {
  const int reason = errno;
  const std::string line = fmt::format("misrule: {}: {}\n", what, std::strerror(reason));
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  ::_exit(kExitNotStarted);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Descriptors as the order wants them. They may lie on each other's numbers, so each goes out of
/// the way first.
void place_fds(const SpawnOrder& order, const std::vector<UniqueFd>& fds) {
  constexpr int kOutOfTheWay = 100;
  std::array<int, 3> moved = {-1, -1, -1};
  for (std::size_t i = 0; i < fds.size() && i < moved.size(); ++i) {
    moved[i] = ::fcntl(fds[i].fd(), F_DUPFD_CLOEXEC, kOutOfTheWay);
  }
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(moved[0], STDOUT_FILENO);
  ::dup2(moved[1], STDERR_FILENO);
  if (order.inherited_fd >= 0 && moved[2] >= 0) ::dup2(moved[2], order.inherited_fd);
}

[[noreturn]] void become(const SpawnOrder& order, const std::vector<UniqueFd>& fds) {
  reset_signals();
  ::setsid();
  ::umask(022);
  place_fds(order, fds);
  // A crash that a fault provokes must not write the service's memory to the project's folder.
  const rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (!order.cwd.empty() && ::chdir(order.cwd.c_str()) != 0) {
    give_up(fmt::format("entering {}", order.cwd));
  }
  std::vector<char*> argv = pointers_to(order.argv);
  std::vector<char*> env = pointers_to(order.env);
  ::execve(argv[0], argv.data(), env.data());
  give_up(fmt::format("starting {}", order.argv[0]));
}

}  // namespace

void detach_output() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, standard);
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<pid_t> spawn_process(const SpawnOrder& order, const std::vector<UniqueFd>& fds) {
  if (order.argv.empty() || fds.size() < 2) {
    return fail(Code::kInternal, "a process to start has no command or no output");
  }
  const pid_t pid = ::fork();
  if (pid == 0) become(order, fds);
  if (pid < 0) return std::unexpected(errno_error("fork", errno));
  return pid;
}

}  // namespace misrule::controller
