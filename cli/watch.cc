#include "cli/watch.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "cli/commands.h"
#include "controller/run/watch_list.h"

namespace misrule::cli {

namespace {

namespace fs = std::filesystem;

constexpr int kInterrupted = 130;
constexpr int kLookEveryMs = 250;
constexpr int kSettledMs = 100;

using Stamps = std::map<std::string, std::string>;

/// What a file is, without reading it; empty if there is none.
std::string stamp_of(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{} {} {}.{} {}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

/// What tools keep beside sources.
bool is_byproduct(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".") || name == "__pycache__" || name == "node_modules" ||
         name.ends_with(".log") || name.ends_with(".pyc");
}

void add_below(const std::string& folder, Stamps& stamps) {
  constexpr std::size_t kFilesMax = 5000;
  std::error_code problem;
  fs::recursive_directory_iterator at(folder, problem);
  for (std::size_t seen = 0; !problem && at != fs::recursive_directory_iterator();
       at.increment(problem)) {
    if (++seen > kFilesMax) return;
    if (is_byproduct(at->path())) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file(problem)) {
      stamps[at->path().string()] = stamp_of(at->path().string());
    }
  }
}

Stamps stamps_of(const controller::WatchedSpec& spec) {
  Stamps stamps;
  for (const std::string& path : spec.paths) stamps[path] = stamp_of(path);
  for (const std::string& folder : spec.folders) add_below(folder, stamps);
  return stamps;
}

class Watch {
 public:
  Watch(const controller::RunRequest& request, const std::vector<std::string>& words);
  int run();

 private:
  struct Spec {
    controller::WatchedSpec watched = {};
    Stamps stamps = {};
  };
  /// Of each spec what it is now; of one that cannot be loaded also what it was.
  void look_at_specs();
  bool run_once(const std::vector<std::string>& files);
  [[noreturn]] void become_run(const std::vector<std::string>& files) const;
  /// The specs that a change touches, once it is done; empty: a signal ended the wait.
  std::vector<std::string> await_change();
  void tell_changes();
  bool was_interrupted(int timeout_ms);
  std::vector<std::string> take_changed();

  controller::RunRequest request_;
  std::vector<std::string> words_;
  std::vector<Spec> specs_ = {};
  std::vector<std::string> changed_paths_ = {};
  sigset_t before_ = {};
  UniqueFd signals_ = {};
};

Watch::Watch(const controller::RunRequest& request, const std::vector<std::string>& words)
    : request_(request) {
  std::ranges::copy_if(words, std::back_inserter(words_),
                       [](const std::string& word) { return word != "--watch"; });
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, signal);
  ::sigprocmask(SIG_BLOCK, &wanted, &before_);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

/// A spec that cannot be loaded knows fewer of its files than it did.
void remember(const controller::WatchedSpec& before, controller::WatchedSpec& now) {
  if (before.file != now.file || now.paths.size() >= before.paths.size()) return;
  now.paths.insert(now.paths.end(), before.paths.begin(), before.paths.end());
  now.folders = before.folders;
}

void Watch::look_at_specs() {
  const std::vector<Spec> before = std::exchange(specs_, {});
  for (controller::WatchedSpec& watched : controller::watched_specs(request_)) {
    for (const Spec& old : before) remember(old.watched, watched);
    Stamps stamps = stamps_of(watched);
    specs_.push_back({.watched = std::move(watched), .stamps = std::move(stamps)});
  }
}

void Watch::become_run(const std::vector<std::string>& files) const {
  // Ctrl-C is for the watch, which passes it on once.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  std::vector<std::string> words = words_;
  words.insert(words.begin(), "misrule");
  for (const std::string& file : files) {
    words.emplace_back("--only");
    words.push_back(file);
  }
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  fmt::print(stderr, "misrule: /proc/self/exe cannot be run\n");
  ::_exit(kInfrastructure);
}

/// False if a signal has ended it.
bool Watch::run_once(const std::vector<std::string>& files) {
  std::fflush(stdout);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getppid() != parent) ::_exit(kInfrastructure);
    become_run(files);
  }
  bool interrupted = false;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (!was_interrupted(kLookEveryMs / 5)) continue;
    interrupted = true;
    ::kill(child, SIGTERM);
  }
  return !interrupted;
}

bool Watch::was_interrupted(int timeout_ms) {
  pollfd wait = {.fd = signals_.fd(), .events = POLLIN, .revents = 0};
  ::poll(&wait, 1, timeout_ms);
  bool any = false;
  signalfd_siginfo signal = {};
  while (::read(signals_.fd(), &signal, sizeof signal) == sizeof signal) any = true;
  return any;
}

std::vector<std::string> Watch::take_changed() {
  std::vector<std::string> files;
  for (Spec& spec : specs_) {
    Stamps now = stamps_of(spec.watched);
    if (now == spec.stamps) continue;
    files.push_back(spec.watched.file);
    for (const auto& [path, stamp] : now) {
      const auto old = spec.stamps.find(path);
      if (old == spec.stamps.end() || old->second != stamp) changed_paths_.push_back(path);
    }
    for (const auto& [path, stamp] : spec.stamps) {
      if (!now.contains(path)) changed_paths_.push_back(path);
    }
    spec.stamps = std::move(now);
  }
  return files;
}

std::vector<std::string> Watch::await_change() {
  std::vector<std::string> files;
  for (files = take_changed(); files.empty(); files = take_changed()) {
    if (was_interrupted(kLookEveryMs)) return {};
  }
  // An editor, or a checkout, may not be done yet.
  while (true) {
    if (was_interrupted(kSettledMs)) return {};
    const std::vector<std::string> more = take_changed();
    if (more.empty()) return files;
    for (const std::string& file : more) {
      if (std::ranges::find(files, file) == files.end()) files.push_back(file);
    }
  }
}

void Watch::tell_changes() {
  std::ranges::sort(changed_paths_);
  const auto repeated = std::ranges::unique(changed_paths_);
  changed_paths_.erase(repeated.begin(), repeated.end());
  std::vector<std::string> shown;
  for (const std::string& path : std::exchange(changed_paths_, {})) {
    shown.push_back(fs::path(path).lexically_proximate(fs::current_path()).string());
  }
  fmt::print("changed: {}\n", fmt::join(shown, ", "));
}

int Watch::run() {
  std::vector<std::string> files = request_.files;
  while (true) {
    look_at_specs();
    if (!run_once(files)) return kInterrupted;
    Stamps all;
    for (const Spec& spec : specs_) all.insert(spec.stamps.begin(), spec.stamps.end());
    fmt::print("watching {} files, Ctrl-C ends\n", all.size());
    std::fflush(stdout);
    files = await_change();
    if (files.empty()) return kInterrupted;
    tell_changes();
  }
}

}  // namespace

int watch_specs(const controller::RunRequest& request, const std::vector<std::string>& words) {
  return Watch(request, words).run();
}

}  // namespace misrule::cli
