#include "tests/interceptor/harness.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace misrule::interceptor {
namespace {

std::uint16_t port_of(const sockaddr_storage& address) {
  sockaddr_in in = {};  // The port stands at the same place in both families.
  std::memcpy(&in, &address, sizeof(in));
  return ntohs(in.sin_port);
}

sockaddr_storage loopback(sa_family_t family, std::uint16_t port) {
  sockaddr_storage out = {};
  if (family == AF_INET6) {
    sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    in6.sin6_addr = in6addr_loopback;
    std::memcpy(&out, &in6, sizeof(in6));
  } else {
    sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&out, &in, sizeof(in));
  }
  return out;
}

model::Service service(const std::string& name, model::Protocol protocol, std::uint16_t port) {
  model::Service out;
  out.name = name;
  out.interfaces.push_back({.name = "main", .protocol = protocol, .port = port});
  return out;
}

struct ChildPlan {
  std::vector<char*> argv;
  std::string directory;
  int socket;
  int socket_number;
  int output;
};

// Between fork and exec: only what is safe there, because the parent has threads.
[[noreturn]] void become_service(const ChildPlan& plan) {
  // Descriptors that the test itself was started with are not the service's.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (dup2(plan.output, 1) < 0 || dup2(plan.output, 2) < 0) _exit(125);
  if (plan.socket == plan.socket_number) {
    fcntl(plan.socket, F_SETFD, 0);
  } else if (dup2(plan.socket, plan.socket_number) < 0) {
    _exit(125);
  }
  if (!plan.directory.empty() && chdir(plan.directory.c_str()) != 0) _exit(124);
  execv(plan.argv[0], plan.argv.data());
  _exit(123);
}

}  // namespace

std::uint64_t RecordingSink::emit(model::Event event) {
  const std::lock_guard lock(mutex_);
  event.number = events_.size() + 1;
  events_.push_back(std::move(event));
  return events_.size();
}

std::vector<model::Event> RecordingSink::of_type(std::string_view type) const {
  const std::lock_guard lock(mutex_);
  std::vector<model::Event> out;
  for (const model::Event& event : events_) {
    if (event.type == type) out.push_back(event);
  }
  return out;
}

std::string text_of(const model::Event& event, std::string_view field) {
  const model::Field* found = event.find(field);
  return found == nullptr ? std::string{} : model::field_text(*found);
}

void PortRouter::redirect(std::uint16_t port, std::uint16_t to_port, const std::string& name) {
  Route route = {.kind = Route::Kind::kRedirect, .service = name, .interface = "main"};
  entries_[port] = {.route = route, .to_port = to_port};
}

void PortRouter::refuse(std::uint16_t port, int error, const std::string& name) {
  Route route = {
      .kind = Route::Kind::kRefuse, .error = error, .service = name, .interface = "main"};
  entries_[port] = {.route = route};
}

Route PortRouter::lookup(std::string_view /*consumer*/, const sockaddr_storage& destination) {
  const auto found = entries_.find(port_of(destination));
  if (found == entries_.end()) return {};
  Route out = found->second.route;
  const sa_family_t family = destination.ss_family;
  out.to = loopback(family, found->second.to_port);
  out.to_size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return out;
}

Route PortRouter::open(std::string_view consumer, const sockaddr_storage& destination) {
  Route out = lookup(consumer, destination);
  if (!out.service.empty()) ++opened_;
  return out;
}

bool PortRouter::is_observer(const SocketEnds& ends) {
  return ends.peer_is_open && port_of(ends.own) != 0 && port_of(ends.peer) == observers_port_;
}

Running::~Running() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

Ended Running::wait() {
  Ended out;
  std::array<char, 4096> chunk = {};
  ssize_t count = 0;
  while ((count = read(output_.fd(), chunk.data(), chunk.size())) > 0) {
    out.output.append(chunk.data(), static_cast<std::size_t>(count));
  }
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  if (WIFEXITED(status)) out.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
  return out;
}

std::string Running::read_line() {
  std::string out;
  char c = 0;
  while (read(output_.fd(), &c, 1) == 1 && c != '\n') out += c;
  return out;
}

Bench::Bench() {
  topology.services.push_back(service("api", model::Protocol::kHttp, 8080));
  topology.services.push_back(service("db", model::Protocol::kPostgres, 5432));
  auto started = Supervisor::start({.sink = sink,
                                    .router = router,
                                    .topology = topology,
                                    .seed = 1,
                                    .shim_path = MISRULE_BINARY_DIR "/bin/misrule-shim"});
  if (!started) {
    ADD_FAILURE() << started.error().what;
    std::abort();
  }
  supervisor = *std::move(started);
}

Bench::~Bench() = default;

Result<Running> Bench::start(const ServiceRun& run) {
  MISRULE_TRY(Launch launch, supervisor->prepare(run.service, run.families, run.user));
  std::vector<std::string> words = launch.argv;
  words.insert(words.end(), run.argv.begin(), run.argv.end());
  ChildPlan plan = {.directory = run.directory,
                    .socket = launch.shim_socket.fd(),
                    .socket_number = launch.socket_number};
  for (std::string& word : words) plan.argv.push_back(word.data());
  plan.argv.push_back(nullptr);
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno_error("pipe", errno));
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  plan.output = writing.fd();
  const pid_t pid = fork();
  if (pid == 0) become_service(plan);
  Running out(pid, std::move(reading));
  launch.shim_socket.reset();
  MISRULE_TRY_VOID(supervisor->wait_attached(run.service, std::chrono::seconds(20)));
  return out;
}

Ended Bench::run(const ServiceRun& run) {
  auto running = start(run);
  if (!running) {
    ADD_FAILURE() << running.error().what;
    return {};
  }
  return running->wait();
}

Status Bench::try_arm(const std::vector<model::Rule>& rules) {
  model::RuleSet set;
  for (const model::Rule& rule : rules) *set.add_rules() = rule;
  return supervisor->set_rules(set);
}

void Bench::arm(const std::vector<model::Rule>& rules) {
  const Status status = try_arm(rules);
  if (!status) ADD_FAILURE() << status.error().what;
}

model::RuleTally Bench::tally(const std::string& rule) const {
  for (model::RuleTally& tally : supervisor->tallies()) {
    if (tally.rule == rule) return tally;
  }
  ADD_FAILURE() << "no tally for " << rule;
  return {};
}

model::Rule rule_on(const std::string& id, const std::string& family, const std::string& path) {
  model::Rule out;
  out.set_id(id);
  out.mutable_target()->set_service("api");
  out.mutable_syscall()->set_family(family);
  if (!path.empty()) out.mutable_syscall()->set_path(path);
  return out;
}

model::Rule deny(model::Rule rule, const std::string& error) {
  rule.mutable_deny()->set_error(error);
  return rule;
}

model::Rule delay(model::Rule rule, std::uint64_t milliseconds) {
  rule.mutable_delay()->set_duration_us(milliseconds * 1000);
  return rule;
}

std::string program(const std::string& name) {
  return MISRULE_BINARY_DIR "/tests/interceptor/programs/" + name;
}

TestFolder::TestFolder() {
  std::filesystem::create_directories("/var/lib/misrule");
  std::string pattern = "/var/lib/misrule/test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
  std::filesystem::permissions(path_, std::filesystem::perms::all);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

GreetingServer::GreetingServer(const std::string& word)
    : listener_(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)), stop_(eventfd(0, EFD_CLOEXEC)) {
  // Unspecified and dual-stack: both loopback addresses reach it.
  sockaddr_in6 address = {.sin6_family = AF_INET6};
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_.fd(), generic, size) != 0 || listen(listener_.fd(), 16) != 0 ||
      getsockname(listener_.fd(), generic, &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin6_port);
  thread_ = std::thread([this, word] { serve(word); });
}

GreetingServer::~GreetingServer() {
  const std::uint64_t one = 1;
  (void)!write(stop_.fd(), &one, sizeof(one));
  thread_.join();
}

void GreetingServer::serve(const std::string& word) {
  while (true) {
    std::array<pollfd, 2> wait = {{{.fd = listener_.fd(), .events = POLLIN, .revents = 0},
                                   {.fd = stop_.fd(), .events = POLLIN, .revents = 0}}};
    if (poll(wait.data(), wait.size(), -1) < 0 || wait[1].revents != 0) return;
    const UniqueFd connection(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    ++accepted_;
    (void)!write(connection.fd(), word.data(), word.size());
  }
}

}  // namespace misrule::interceptor
