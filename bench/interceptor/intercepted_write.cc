// What an intercepted call costs: microseconds per write of one byte, medians of several rounds,
// all calls allowed. With --measured it is the program that is measured.
//
//   native             no filter
//   filter without it  a filter that names other calls
//   no rule            intercepted, no rule armed
//   a rule elsewhere   intercepted, a rule on another path is asked each time

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interceptor/interceptor.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::interceptor {
namespace {

constexpr const char* kRounds = "9";
constexpr std::uint16_t kDeclaredPort = 25431;

class NoSink final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event /*event*/) override { return ++count_; }

 private:
  std::atomic<std::uint64_t> count_ = 0;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(port)};
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

class OneRoute final : public ConnectRouter {
 public:
  explicit OneRoute(std::uint16_t to_port) : to_port_(to_port) {}
  Route lookup(std::string_view /*consumer*/, const sockaddr_storage& destination) override {
    sockaddr_in in = {};
    std::memcpy(&in, &destination, sizeof(in));
    if (in.sin_port != htons(kDeclaredPort)) return {};
    Route out = {.kind = Route::Kind::kRedirect, .to_size = sizeof(in), .service = "api"};
    const sockaddr_in to = loopback(to_port_);
    std::memcpy(&out.to, &to, sizeof(to));
    return out;
  }
  Route open(std::string_view consumer, const sockaddr_storage& destination) override {
    return lookup(consumer, destination);
  }

 private:
  std::uint16_t to_port_;
};

double time_calls(int calls, auto&& call) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call();
  const auto took = std::chrono::steady_clock::now() - begin;
  return std::chrono::duration<double, std::nano>(took).count() / calls;
}

void connect_once(std::uint16_t port) {
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(port);
  if (connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) std::abort();
  // Until the other side has accepted and closed, so that its queue never overflows.
  char end = 0;
  if (read(s, &end, 1) != 0) std::abort();
  close(s);
}

// The measured program: "write FILE CALLS" or "connect PORT CALLS".
int measured(char** argv) {
  const bool writes = std::string_view(argv[0]) == "write";
  const int fd = writes ? open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
  const int calls = std::atoi(argv[2]);
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  std::string lines;
  for (int round = 0; round < std::atoi(kRounds); ++round) {
    const double ns = writes ? time_calls(calls, [&] { (void)!pwrite(fd, "x", 1, 0); })
                             : time_calls(calls, [&] { connect_once(port); });
    lines += fmt::format("{}\n", ns);
  }
  return write(1, lines.data(), lines.size()) > 0 ? 0 : 1;
}

double median_of(FILE* output) {
  std::vector<double> values;
  std::array<char, 64> line = {};
  while (std::fgets(line.data(), line.size(), output) != nullptr) {
    values.push_back(std::strtod(line.data(), nullptr));
  }
  if (values.empty()) std::abort();
  std::ranges::sort(values);
  return values[values.size() / 2] / 1000.0;
}

double run(Supervisor* supervisor, const std::set<std::string>& families,
           std::vector<std::string> words) {
  Launch launch;
  if (supervisor != nullptr) {
    auto prepared = supervisor->prepare("api", families, "");
    if (!prepared) std::abort();
    launch = *std::move(prepared);
    words.insert(words.begin(), launch.argv.begin(), launch.argv.end());
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    if (supervisor != nullptr) {
      const int duplicate = fcntl(launch.shim_socket.fd(), F_DUPFD, 100);
      dup2(duplicate, launch.socket_number);
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  launch.shim_socket.reset();
  FILE* output = fdopen(ends[0], "r");
  const double median = median_of(output);
  std::fclose(output);
  waitpid(pid, nullptr, 0);
  return median;
}

model::RuleSet other_rule() {
  model::RuleSet out;
  model::Rule& rule = *out.add_rules();
  rule.set_id("other");
  rule.mutable_target()->set_service("api");
  rule.mutable_syscall()->set_family("write");
  rule.mutable_syscall()->set_path("/nowhere/*");
  rule.mutable_deny()->set_error("EIO");
  return out;
}

struct Acceptor {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port = 0;
  std::thread thread = {};

  Acceptor() {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, generic, size) != 0 || listen(listener, 128) != 0 ||
        getsockname(listener, generic, &size) != 0) {
      std::abort();
    }
    port = ntohs(address.sin_port);
    thread = std::thread([this] {
      int s = -1;
      while ((s = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) close(s);
    });
  }
  ~Acceptor() {
    shutdown(listener, SHUT_RDWR);
    thread.join();
    close(listener);
  }
};

int bench(const std::string& self) {
  Acceptor acceptor;
  NoSink sink;
  OneRoute router(acceptor.port);
  model::Topology topology;
  topology.services.emplace_back().name = "api";
  auto started = Supervisor::start({.sink = sink,
                                    .router = router,
                                    .topology = topology,
                                    .shim_path = MISRULE_BINARY_DIR "/bin/misrule-shim"});
  if (!started) {
    fmt::print(stderr, "{}\n", started.error().what);
    return 1;
  }
  Supervisor* supervisor = started->get();
  const std::string file = fmt::format("/tmp/misrule-bench-{}", getpid());
  const std::vector<std::string> write = {self, "--measured", "write", file, "50000"};
  const auto show = [](const char* what, double us) { fmt::print("{:<28}{:8.3f} us\n", what, us); };
  show("write, native", run(nullptr, {}, write));
  show("write, filter without it", run(supervisor, {"fsync"}, write));
  show("write, no rule", run(supervisor, {"write"}, write));
  if (!supervisor->set_rules(other_rule())) return 1;
  show("write, a rule elsewhere", run(supervisor, {"write"}, write));
  const auto connect = [&](std::uint16_t port) {
    return std::vector<std::string>{self, "--measured", "connect", std::to_string(port), "2000"};
  };
  show("connect+close, native", run(nullptr, {}, connect(acceptor.port)));
  show("connect+close, redirected", run(supervisor, {}, connect(kDeclaredPort)));
  unlink(file.c_str());
  return 0;
}

}  // namespace
}  // namespace misrule::interceptor

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "--measured") {
    return misrule::interceptor::measured(argv + 2);
  }
  return misrule::interceptor::bench(std::filesystem::read_symlink("/proc/self/exe"));
}
