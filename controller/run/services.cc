#include "controller/run/services.h"

#include <cerrno>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "controller/run/readiness.h"

namespace misrule::controller {
namespace {

/// Where a service finds who signed what the proxies before it show.
constexpr std::string_view kCaFile = "MISRULE_CA_FILE";

constexpr auto kAttachWithin = std::chrono::seconds(10);
constexpr auto kFirstPause = std::chrono::milliseconds(4);
constexpr auto kLongestPause = std::chrono::milliseconds(50);
constexpr auto kRestartPause = std::chrono::milliseconds(100);
constexpr auto kEndNoticedWithin = std::chrono::seconds(1);
constexpr int kRepairsMax = 3;
constexpr std::size_t kLastLineBytesMax = std::size_t{64} * 1024;

std::int64_t to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(errno_error("pipe", errno));
  return Pipe{.reader = UniqueFd(ends[0]), .writer = UniqueFd(ends[1])};
}

/// A process that exits gives its memory up before it closes its sockets.
bool is_ending(int pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  std::uint64_t pages = 0;
  return !(file >> pages) || pages == 0;
}

std::string join_lines(const std::deque<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n" + line;
  return text;
}

}  // namespace

struct Services::Running {
  const ServicePlan* plan = nullptr;
  ProcessPlan process = {};
  std::string cwd = {};  ///< Of the process; empty before it is known.
  int pid = 0;
  bool alive = false;
  bool ready = false;
  bool ever_ready = false;
  bool accepts = false;     ///< Its log says that it takes connections.
  bool recovering = false;  ///< Its log says that it repairs itself after a crash.
  bool explained = false;   ///< Its latest end: a fault explains it.
  std::string end = {};
  TimePoint started = {};
  TimePoint trouble_since = {};
  std::deque<std::string> last_lines = {};
  OutputBudget output{};
  std::map<std::string, LineDecoder> decoders = {};  ///< By stream, where one is asked for.
};

Services::Services(Parts parts) : parts_(std::move(parts)) {
  for (const ServicePlan& plan : parts_.plans) {
    auto service = std::make_unique<Running>();
    service->plan = &plan;
    for (const model::Observed& observed : plan.service.observed) {
      const auto* printed = std::get_if<model::PrintedLines>(&observed);
      auto decoder = printed == nullptr ? LineDecoder() : LineDecoder::make(printed->decoder);
      // A pattern that is wrong has been refused with the spec.
      if (printed != nullptr && decoder) service->decoders[printed->stream] = *std::move(decoder);
    }
    running_.emplace(plan.service.name, std::move(service));
  }
}

Services::~Services() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (restarter_.joinable()) restarter_.join();
}

void Services::wake() {
  // Taken so that a waiter cannot miss it between its look at the flag and its wait.
  {
    const std::scoped_lock lock(mutex_);
  }
  changed_.notify_all();
}

void Services::emit(const Running& service, model::Event event) const {
  event.service = service.plan->service.name;
  event.type = "lifecycle";
  parts_.sink.emit(std::move(event));
}

Error Services::not_ready(Running& service, const std::string& why) const {
  return {.code = Code::kIo,
          .what = fmt::format("{} {}{}", service.plan->service.name, why,
                              join_lines(service.last_lines))};
}

void Services::note_line(Running& service, std::string_view line) {
  const LogHint hint = says_when_it_accepts(*service.plan) ? read_hint(line) : LogHint::kNothing;
  std::unique_lock lock(mutex_);
  service.last_lines.emplace_back(line.substr(0, kLastLineBytesMax));
  if (service.last_lines.size() > kLastLinesMax) service.last_lines.pop_front();
  if (hint == LogHint::kCrashed && !service.recovering && service.ever_ready) {
    service.recovering = true;
    service.accepts = false;
    service.trouble_since = SteadyClock().now();
    troubled_ = true;
    lock.unlock();
    emit(service, model::Event{}.set("action", std::string("recovering")));
  } else if (hint == LogHint::kAccepts) {
    service.accepts = true;
    changed_.notify_all();
    if (!std::exchange(service.recovering, false)) return;
    const std::int64_t took = to_ms(SteadyClock().now() - service.trouble_since);
    lock.unlock();
    emit(service, model::Event{}.set("action", std::string("recovered")).set("duration_ms", took));
  }
}

void Services::note_end(Running& service, const ProcessEnd& end) {
  const std::string& name = service.plan->service.name;
  const std::string explained_by = parts_.rules.explains(name);
  // Told before anybody can act on it: what starts it again comes after its end.
  emit_end(service, end, explained_by);
  {
    const std::scoped_lock lock(mutex_);
    service.alive = false;
    service.ready = false;
    service.recovering = false;
    service.end = end_text(end);
    service.explained = !explained_by.empty();
    service.trouble_since = SteadyClock().now();
    troubled_ = true;
    if (service.ever_ready && !end.was_told_to_end) {
      exits_.push_back({.service = name,
                        .how = service.end,
                        .explained_by = explained_by,
                        .last_lines = {service.last_lines.begin(), service.last_lines.end()}});
    }
    changed_.notify_all();
  }
}

void Services::emit_end(const Running& service, const ProcessEnd& end,
                        const std::string& explained_by) const {
  model::Event event = model::Event{}.set("action", std::string("exited"));
  if (end.signal != 0) {
    event.set("signal", static_cast<std::int64_t>(end.signal));
  } else {
    event.set("code", static_cast<std::int64_t>(end.code));
  }
  if (!explained_by.empty()) event.set("explained_by", explained_by);
  if (end.was_told_to_end) event.set("detail", std::string("the run was interrupted"));
  emit(service, std::move(event));
}

void Services::watch_output(Running& service, const char* stream, UniqueFd pipe) {
  const model::Service& declared = service.plan->service;
  const std::string& name = declared.name;
  const std::string path = fmt::format("{}/{}.log", parts_.log_folder, name);
  UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644));
  const int fd = pipe.fd();
  ServiceOutput* output = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    output = &outputs_.emplace_back(
        ServiceOutput::Parts{
            .origin = {.service = name,
                       .stream = stream,
                       .type = declared.observes("stderr") ? stream : "stdout"},
            .decoder = service.decoders[stream],
            .pipe = std::move(pipe),
            .file = std::move(file),
            .on_line = [this, &service](std::string_view line) { note_line(service, line); },
            .budget = service.output,
            .is_postgres = speaks_postgres(*service.plan)},
        parts_.sink);
  }
  parts_.watcher.watch(fd, [output] { return output->drain(); });
}

Status Services::spawn(Running& service) {
  const model::Service& declared = service.plan->service;
  MISRULE_TRY(Pipe out, make_pipe());
  MISRULE_TRY(Pipe err, make_pipe());
  MISRULE_TRY(const interceptor::Launch launch,
              parts_.supervisor.prepare(declared.name, parts_.families(declared.name),
                                        service.process.user));
  SpawnOrder order = {.cwd = service.process.cwd, .inherited_fd = launch.socket_number};
  order.argv = launch.argv;
  order.argv.insert(order.argv.end(), service.process.argv.begin(), service.process.argv.end());
  for (const auto& [name, value] : service.process.env) {
    order.env.push_back(fmt::format("{}={}", name, value));
  }
  const bool says_its_own = std::ranges::any_of(
      service.process.env, [](const auto& entry) { return entry.first == kCaFile; });
  if (!parts_.ca_file.empty() && !says_its_own) {
    order.env.push_back(fmt::format("{}={}", kCaFile, parts_.ca_file));
  }
  {
    const std::scoped_lock lock(mutex_);
    service.alive = true;
    service.ready = false;
    service.accepts = false;
    service.end.clear();
    service.last_lines.clear();
    service.started = SteadyClock().now();
  }
  const int fds[] = {out.writer.fd(), err.writer.fd(), launch.shim_socket.fd()};
  MISRULE_TRY(service.pid,
              parts_.init.spawn(std::move(order), fds, [this, &service](const ProcessEnd& end) {
                note_end(service, end);
              }));
  watch_output(service, "stdout", std::move(out.reader));
  watch_output(service, "stderr", std::move(err.reader));
  return {};
}

Status Services::start(Running& service) {
  const std::string& name = service.plan->service.name;
  const auto activity = parts_.activities.begin("starting " + name);
  if (service.process.argv.empty()) {
    MISRULE_TRY(service.process, materialise_service(*service.plan, parts_.world_folder));
    const std::scoped_lock lock(mutex_);
    service.cwd = service.process.cwd;
  }
  if (Status spawned = spawn(service); !spawned) {
    const std::scoped_lock lock(mutex_);
    service.alive = false;
    return std::unexpected(std::move(spawned).error().with("starting " + name));
  }
  emit(service, model::Event{}
                    .set("action", std::string("starting"))
                    .set("pid", static_cast<std::int64_t>(service.pid)));
  if (Status attached = parts_.supervisor.wait_attached(name, kAttachWithin); !attached) {
    parts_.watcher.drain(SteadyClock().now() + kFirstPause * 10);
    const std::scoped_lock lock(mutex_);
    return std::unexpected(not_ready(service, "could not be started: " + attached.error().what));
  }
  return wait_ready(service);
}

Status Services::probe(const Running& service) const {
  // A server that says when it is up is not asked before: each try would be a line in its log.
  if (says_when_it_accepts(*service.plan)) {
    const std::scoped_lock lock(mutex_);
    if (!service.accepts) return fail(Code::kRefused, "it does not accept connections yet");
  }
  return probe_service(*service.plan);
}

Status Services::wait_ready(Running& service) {
  const std::string& name = service.plan->service.name;
  const Duration timeout = service.plan->service.healthcheck.timeout;
  const TimePoint deadline = SteadyClock().now() + timeout;
  Duration pause = kFirstPause;
  while (true) {
    const Status answered = probe(service);
    std::unique_lock lock(mutex_);
    if (answered && service.alive) break;
    if (!service.alive) {
      lock.unlock();
      // Its last words are still in the pipe.
      parts_.watcher.drain(deadline);
      lock.lock();
      return std::unexpected(not_ready(service, service.end + " before it was ready"));
    }
    if (parts_.stopping) return fail(Code::kCancelled, "stopped while waiting for " + name);
    if (SteadyClock().now() >= deadline) {
      const std::chrono::duration<double> seconds = timeout;
      return std::unexpected(
          not_ready(service, fmt::format("was not ready within {} s: {}", seconds.count(),
                                         answered ? "" : answered.error().what)));
    }
    changed_.wait_for(lock, pause);
    pause = std::min<Duration>(pause * 2, kLongestPause);
  }
  const std::int64_t took = to_ms(SteadyClock().now() - service.started);
  {
    const std::scoped_lock lock(mutex_);
    service.ready = true;
    service.ever_ready = true;
  }
  emit(service, model::Event{}.set("action", std::string("ready")).set("duration_ms", took));
  return {};
}

Status Services::start_all(const std::function<Status(const ServicePlan&)>& seed) {
  for (const ServicePlan& plan : parts_.plans) {
    const std::scoped_lock one_at_a_time(starting_);
    Running& service = *running_.at(plan.service.name);
    MISRULE_TRY_VOID(start(service));
    if (seed) MISRULE_TRY_VOID(seed(plan));
    if (plan.service.restart == model::Restart::kAlways && !restarter_.joinable()) {
      restarter_ = std::thread([this] { restart_at_once(); });
    }
  }
  return {};
}

Status Services::await_recovery(Running& service) {
  const std::string& name = service.plan->service.name;
  const auto activity = parts_.activities.begin("waiting for " + name + " to recover");
  const TimePoint deadline = SteadyClock().now() + service.plan->service.healthcheck.timeout;
  {
    std::unique_lock lock(mutex_);
    const auto decided = [&] {
      return !service.recovering || !service.alive || parts_.stopping.load();
    };
    if (!changed_.wait_until(lock, deadline, decided)) {
      return std::unexpected(not_ready(service, "did not recover in time"));
    }
    if (!service.alive) return {};
  }
  MISRULE_TRY_VOID(wait_ready(service));
  const std::scoped_lock lock(mutex_);
  const std::chrono::duration<double> took = SteadyClock().now() - service.trouble_since;
  notes_.push_back(fmt::format("{} recovered in {:.1f} s", name, took.count()));
  return {};
}

Status Services::settle_one(Running& service) {
  const std::string& name = service.plan->service.name;
  const model::Restart restart = service.plan->service.restart;
  for (int repair = 0; repair < kRepairsMax; ++repair) {
    bool recovering = false;
    {
      const std::scoped_lock lock(mutex_);
      if (service.alive && !service.recovering) return {};
      recovering = service.alive;
      // What no fault explains is the test's failure, and stays as it is.
      if (!recovering && (restart == model::Restart::kNever || !service.explained)) return {};
    }
    if (restart != model::Restart::kAlways && parts_.rules.is_under_fault(name)) {
      troubled_ = true;
      return {};
    }
    if (recovering) {
      MISRULE_TRY_VOID(await_recovery(service));
      continue;
    }
    emit(service, model::Event{}.set("action", std::string("restarting")));
    const Status started = start(service);
    if (started) {
      const std::scoped_lock lock(mutex_);
      const std::chrono::duration<double> took = SteadyClock().now() - service.trouble_since;
      notes_.push_back(fmt::format("{} {}, started again in {:.1f} s", name,
                                   exits_.empty() ? "ended" : exits_.back().how, took.count()));
      continue;
    }
    if (repair + 1 == kRepairsMax) return started;
  }
  return {};
}

void Services::notice_ends() {
  std::unique_lock lock(mutex_);
  for (const auto& entry : running_) {
    const Running& service = *entry.second;
    if (!service.alive || !is_ending(service.pid)) continue;
    changed_.wait_for(lock, kEndNoticedWithin, [&service] { return !service.alive; });
  }
}

Status Services::settle() {
  notice_ends();
  if (!troubled_.exchange(false)) return {};
  const std::scoped_lock one_at_a_time(starting_);
  Status first = {};
  // One that does not come back must not keep the others down.
  for (const ServicePlan& plan : parts_.plans) {
    Status settled = settle_one(*running_.at(plan.service.name));
    if (first) first = std::move(settled);
    if (parts_.stopping) break;
  }
  return first;
}

void Services::restart_at_once() {
  std::unique_lock lock(mutex_);
  while (!ending_ && !parts_.stopping) {
    changed_.wait_for(lock, kRestartPause);
    if (!troubled_ || ending_) continue;
    lock.unlock();
    // A service that does not come back is told by the next step or by its own exit.
    static_cast<void>(settle().has_value());
    lock.lock();
  }
}

bool Services::is_up(const std::string& service) const {
  const auto found = running_.find(service);
  if (found == running_.end()) return false;
  const Running& it = *found->second;
  const std::scoped_lock lock(mutex_);
  return it.alive && !it.recovering && (it.accepts || !says_when_it_accepts(*it.plan));
}

const ServicePlan* Services::find_plan(const std::string& service) const {
  const auto found = running_.find(service);
  return found == running_.end() ? nullptr : found->second->plan;
}

std::string Services::cwd_of(const std::string& service) const {
  const auto found = running_.find(service);
  if (found == running_.end()) return {};
  const std::scoped_lock lock(mutex_);
  return found->second->cwd;
}

std::vector<ServiceExit> Services::exits() const {
  const std::scoped_lock lock(mutex_);
  return exits_;
}

void Services::tell_unrecorded() {
  for (const auto& [name, service] : running_) {
    for (const auto& [stream, decoder] : service->decoders) {
      const std::string doubt = decoder.doubt_text();
      const std::scoped_lock lock(mutex_);
      if (!doubt.empty()) notes_.push_back(fmt::format("{} of {}: {}", stream, name, doubt));
    }
    const std::string rest = service->output.rest_text(name);
    if (rest.empty()) continue;
    emit(*service, model::Event{}.set("action", std::string("output_cut")).set("detail", rest));
    const std::scoped_lock lock(mutex_);
    notes_.push_back(rest);
  }
}

std::vector<std::string> Services::take_notes() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(notes_, {});
}

}  // namespace misrule::controller
