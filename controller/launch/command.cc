#include "controller/launch/command.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "controller/launch/accounts.h"

namespace misrule::controller {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno_error("pipe2", errno));
  return Pipe{.read_end = UniqueFd(ends[0]), .write_end = UniqueFd(ends[1])};
}

// Strings and their pointers, made before the fork: the child of a threaded process may not
// allocate.
class ExecVector {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  char** pointers() {
    pointers_.clear();
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

// The tool's input is a socket: writing to one that the tool has closed is an error and not a
// signal.
Result<Pipe> make_input() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return std::unexpected(errno_error("socketpair", errno));
  }
  return Pipe{.read_end = UniqueFd(ends[0]), .write_end = UniqueFd(ends[1])};
}

struct Child {
  int input = -1;
  int output = -1;
  const char* cwd = nullptr;
  std::optional<Account> account = {};
  char** argv = nullptr;
  char** env = nullptr;
};

constexpr int kCannotExec = 127;
// Of more, what came first is forgotten.
constexpr std::size_t kGatheredMax = std::size_t{1} << 20;

[[noreturn]] void become(const Child& child) {
  ::dup2(child.input, STDIN_FILENO);
  ::dup2(child.output, STDOUT_FILENO);
  ::dup2(child.output, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (child.account) {
    const gid_t group = child.account->gid;
    if (::setgroups(1, &group) != 0 || ::setgid(group) != 0 || ::setuid(child.account->uid) != 0) {
      ::_exit(kCannotExec);
    }
  }
  if (::chdir(child.cwd) != 0) ::_exit(kCannotExec);
  ::execve(child.argv[0], child.argv, child.env);
  ::_exit(kCannotExec);
}

// Feeds the tool's input and gathers its output until it closes it, or the deadline.
class Exchange {
 public:
  Exchange(UniqueFd input, UniqueFd output, std::string_view text)
      : input_(std::move(input)), output_(std::move(output)), text_(text) {}

  bool run_until(TimePoint deadline) {
    while (output_.valid()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      std::array<pollfd, 2> wanted = {{{.fd = output_.fd(), .events = POLLIN, .revents = 0},
                                       {.fd = input_.fd(), .events = POLLOUT, .revents = 0}}};
      if (::poll(wanted.data(), wanted.size(), static_cast<int>(left.count())) <= 0) continue;
      if (wanted[0].revents != 0) take();
      if (wanted[1].revents != 0) give();
    }
    return true;
  }

  std::string gathered = {};

 private:
  void take() {
    std::array<char, 4096> chunk{};
    const ssize_t got = ::read(output_.fd(), chunk.data(), chunk.size());
    if (got <= 0) {
      output_.reset();
    } else {
      gathered.append(chunk.data(), static_cast<std::size_t>(got));
      if (gathered.size() > kGatheredMax) gathered.erase(0, kGatheredMax / 2);
    }
  }

  void give() {
    const ssize_t put = text_.empty() ? 0
                                      : ::send(input_.fd(), text_.data(), text_.size(),
                                               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) text_.remove_prefix(static_cast<std::size_t>(put));
    const bool later = put < 0 && (errno == EAGAIN || errno == EINTR);
    if ((put < 0 && !later) || text_.empty()) input_.reset();
  }

  UniqueFd input_;
  UniqueFd output_;
  std::string_view text_;
};

Result<std::string> outcome(const Command& command, int status, bool in_time, std::string output) {
  const std::string& program = command.argv.front();
  if (!in_time) {
    return fail(Code::kTimeout,
                fmt::format("{} did not end in time\n{}", program, last_lines(output, 10)));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  const std::string how = WIFSIGNALED(status)
                              ? fmt::format("was ended by signal {}", WTERMSIG(status))
                              : fmt::format("exited with {}", WEXITSTATUS(status));
  return fail(Code::kIo, fmt::format("{} {}\n{}", program, how, last_lines(output, 10)));
}

}  // namespace

std::string last_lines(const std::string& text, std::size_t lines) {
  std::size_t at = text.size();
  if (at > 0 && text.back() == '\n') --at;
  const std::size_t end = at;
  for (std::size_t seen = 0; seen < lines && at != std::string::npos; ++seen) {
    at = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  }
  const std::size_t start = at == std::string::npos ? 0 : at + 1;
  return text.substr(start, end - start);
}

Result<std::string> run_command(const Command& command) {
  Child child{.cwd = command.cwd.c_str()};
  if (!command.user.empty()) {
    MISRULE_TRY(child.account, find_account(command.user));
  }
  ExecVector argv;
  for (const std::string& argument : command.argv) argv.add(argument);
  ExecVector env;
  for (const auto& [name, value] : command.env) env.add(fmt::format("{}={}", name, value));
  child.argv = argv.pointers();
  child.env = env.pointers();
  MISRULE_TRY(Pipe to_child, make_input());
  MISRULE_TRY(Pipe from_child, make_pipe());
  child.input = to_child.read_end.fd();
  child.output = from_child.write_end.fd();
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(errno_error("fork", errno));
  if (pid == 0) become(child);
  to_child.read_end.reset();
  from_child.write_end.reset();
  Exchange exchange(std::move(to_child.write_end), std::move(from_child.read_end), command.input);
  const bool in_time = exchange.run_until(std::chrono::steady_clock::now() + command.timeout);
  if (!in_time) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return outcome(command, status, in_time, std::move(exchange.gathered));
}

}  // namespace misrule::controller
