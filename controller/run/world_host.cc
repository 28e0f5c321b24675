#include "controller/run/world_host.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/secrets.h"
#include "controller/events/trace_context.h"
#include "controller/steps/steps.h"

namespace misrule::controller {
namespace {

// Pipes are drained within microseconds of what filled them; a second is a watcher that is stuck.
constexpr auto kDrainWithin = std::chrono::seconds(1);
constexpr std::size_t kShownTextMax = 60;
constexpr std::size_t kAttachmentsMax = 100;
constexpr std::size_t kAttachedBytesMax = std::size_t{64} << 20U;
constexpr std::size_t kAttachmentNameMax = 80;
// Of one body in the log: as a service's line. The spec has the whole.
constexpr std::size_t kBodyBytesMax = std::size_t{64} << 10U;

std::string shorten(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kShownTextMax) {
    text.resize(kShownTextMax);
    text += "…";
  }
  return text;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

/// A Redis command whose arguments may be passwords.
bool tells_secrets(std::string_view command) {
  return command == "AUTH" || command == "HELLO" || command == "ACL" || command == "CONFIG";
}

/// "POST /payments -> api", for people who watch.
std::string call_text(const dsl::StepCall& call) {
  if (const auto* http = std::get_if<dsl::HttpStep>(&call.step)) {
    return fmt::format("{} {} -> {}", http->method, shorten(http->path), call.service);
  }
  if (const auto* redis = std::get_if<dsl::RedisStep>(&call.step)) {
    const bool secret = tells_secrets(upper(redis->words.front()));
    return fmt::format(
        "{} -> {}",
        secret ? redis->words.front() : shorten(fmt::format("{}", fmt::join(redis->words, " "))),
        call.service);
  }
  return fmt::format("{} -> {}", shorten(without_passwords(std::get<dsl::SqlStep>(call.step).sql)),
                     call.service);
}

/// Request and reply both say what was asked: a filter of either needs no other event.
model::Event step_event(const dsl::StepCall& call, const char* type) {
  model::Event event = {.service = std::string(kTestConsumer), .type = type};
  event.set("to", call.service).set("interface", call.interface);
  if (const auto* http = std::get_if<dsl::HttpStep>(&call.step)) {
    event.set("protocol", std::string("http")).set("method", http->method).set("path", http->path);
  } else if (const auto* redis = std::get_if<dsl::RedisStep>(&call.step)) {
    const std::string command = upper(redis->words.front());
    event.set("protocol", std::string("redis")).set("command", command);
    const bool secret = tells_secrets(command);
    if (redis->words.size() > 1 && !secret) event.set("key", redis->words[1]);
  } else {
    event.set("protocol", std::string("postgres"));
    event.set("query", without_passwords(std::get<dsl::SqlStep>(call.step).sql));
  }
  return event;
}

void set_body(model::Event& event, const std::string& body) {
  if (body.empty()) return;
  event.set("body", body.substr(0, kBodyBytesMax));
  if (body.size() > kBodyBytesMax) event.set("cut", true);
}

constexpr std::string_view kTraceHeader = "traceparent";

/// The step's own, if it has one.
const std::string* trace_header(const dsl::HttpStep& step) {
  for (const auto& [name, value] : step.headers) {
    if (upper(name) == upper(std::string(kTraceHeader))) return &value;
  }
  return nullptr;
}

/// Letters, digits and what is harmless within a name.
std::string file_name_of(std::string name) {
  name.resize(std::min(name.size(), kAttachmentNameMax));
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    if (!plain && c != '.') c = '_';
  }
  if (name.empty() || name.front() == '.') name.insert(name.begin(), '_');
  return name;
}

dsl::StepReply not_sent(const std::string& error) { return {.error = error}; }

}  // namespace

Status WorldHost::settle_services() {
  // What a service said before it went down must be known before it is asked whether it is up.
  if (ever_armed_) parts_.watcher.drain(clock_.now() + kDrainWithin);
  return parts_.services.settle();
}

dsl::StepCall WorldHost::traced(const dsl::StepCall& call) {
  dsl::StepCall out = call;
  auto* http = std::get_if<dsl::HttpStep>(&out.step);
  if (parts_.trace_id.empty() || http == nullptr || trace_header(*http) != nullptr) return out;
  const TraceContext context = {.trace = parts_.trace_id,
                                .span = span_id_of(parts_.trace_id, "step", ++traced_)};
  http->headers.emplace_back(kTraceHeader, traceparent_of(context));
  return out;
}

std::uint64_t WorldHost::emit_send(const dsl::StepCall& call) {
  model::Event event = step_event(call, "step_send");
  const auto* http = std::get_if<dsl::HttpStep>(&call.step);
  if (http != nullptr) set_body(event, http->body);
  const std::string* trace = http == nullptr ? nullptr : trace_header(*http);
  if (!parts_.trace_id.empty() && trace != nullptr) event.set(std::string(kTraceHeader), *trace);
  return parts_.log.emit(std::move(event));
}

void WorldHost::emit_reply(const dsl::StepCall& call, const dsl::StepReply& reply,
                           std::uint64_t sent) {
  model::Event event = step_event(call, "step_recv");
  event.after.push_back(sent);
  event.set("status", static_cast<std::int64_t>(reply.status)).set("ok", reply.ok);
  if (!reply.error.empty()) event.set("error", reply.error);
  if (!reply.code.empty()) event.set("code", reply.code);
  event.set("duration_ms",
            static_cast<std::int64_t>(
                std::chrono::duration_cast<std::chrono::milliseconds>(reply.took).count()));
  set_body(event, reply.body);
  if (reply.data.text.size() > kBodyBytesMax) {
    event.set("cut", true);  // A part of JSON is none.
  } else if (!reply.data.text.empty()) {
    event.set("data", reply.data);
  }
  parts_.log.emit(std::move(event));
}

dsl::StepReply WorldHost::step(const dsl::StepCall& given) {
  const dsl::StepCall call = traced(given);
  const auto activity = parts_.activities.begin(call_text(call));
  const ServicePlan* plan = parts_.services.find_plan(call.service);
  if (plan == nullptr) return not_sent("there is no service " + call.service);
  // A database that comes back is waited for; one that does not is what the step then meets.
  const Status settled = settle_services();
  const std::uint64_t sent = emit_send(call);
  dsl::StepReply reply = settled ? send_step(*plan, call) : not_sent(settled.error().what);
  emit_reply(call, reply, sent);
  return reply;
}

dsl::StepReply WorldHost::send_step(const ServicePlan& plan, const dsl::StepCall& call) {
  const auto port = parts_.routes.open_for_test(call.service, call.interface);
  if (!port) return not_sent(port.error().what);
  StepTarget target = plan.step;
  target.host = "127.0.0.1";
  target.port = *port;
  target.proxied = true;
  // What the server reads is what it would read without us, and the same in every run.
  if (const auto* declared = plan.service.find_interface(call.interface); declared != nullptr) {
    target.authority = fmt::format("localhost:{}", declared->port);
  }
  return run_step(call, target, parts_.interrupt_fd);
}

Result<dsl::ArmId> WorldHost::arm(std::vector<model::Rule> rules) {
  ever_armed_ = true;
  return parts_.rules.arm(rules);
}

Status WorldHost::disarm(dsl::ArmId armed) {
  MISRULE_TRY_VOID(parts_.rules.disarm(armed));
  return settle_services();
}

Result<std::size_t> WorldHost::release(const std::string& label) {
  return parts_.rules.release(label);
}

std::vector<dsl::EventPtr> WorldHost::events() { return parts_.log.ordered(); }

bool WorldHost::wait_for_event(std::size_t seen, TimePoint deadline) {
  ++awaiting_;
  const bool arrived = parts_.log.wait_beyond(seen, deadline);
  --awaiting_;
  return arrived;
}

Result<std::string> WorldHost::attach(const std::string& name, const std::string& bytes) {
  const std::scoped_lock lock(attaching_);
  if (attached_.size() >= kAttachmentsMax || attached_bytes_ + bytes.size() > kAttachedBytesMax) {
    return fail(Code::kLimit, fmt::format("a test keeps at most {} attachments of {} MiB in all",
                                          kAttachmentsMax, kAttachedBytesMax >> 20U));
  }
  std::string file = file_name_of(name);
  for (unsigned n = 2; !attached_.insert(file).second; ++n) {
    file = fmt::format("{}-{}", n, file_name_of(name));
  }
  attached_bytes_ += bytes.size();
  const std::filesystem::path folder = std::filesystem::path(parts_.log_folder) / "attachments";
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  std::ofstream out(folder / file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) return fail(Code::kIo, fmt::format("writing {}", (folder / file).string()));
  model::Event event = {.service = std::string(kTestConsumer), .type = "attachment"};
  event.set("name", name.substr(0, kAttachmentNameMax)).set("file", "attachments/" + file);
  event.set("bytes", static_cast<std::int64_t>(bytes.size()));
  parts_.log.emit(std::move(event));
  attachments_.push_back({.name = name.substr(0, kAttachmentNameMax),
                          .file = "attachments/" + file,
                          .size = bytes.size()});
  return "attachments/" + file;
}

std::vector<model::Attachment> WorldHost::attachments() {
  const std::scoped_lock lock(attaching_);
  return attachments_;
}

void WorldHost::pause(TimePoint until) {
  const auto activity = parts_.activities.begin("waiting");
  // No event is the last: it is the time that is waited for.
  parts_.log.wait_beyond(std::numeric_limits<std::size_t>::max(), until);
}

Status WorldHost::barrier(Duration at_most) {
  const TimePoint deadline = clock_.now() + at_most;
  // Every loop of the proxy answers after what it was doing, so its events are out.
  parts_.proxy.tallies();
  if (!parts_.watcher.drain(deadline)) {
    return fail(Code::kTimeout, "the services' output was not read in time");
  }
  return parts_.observers.barrier(deadline);
}

}  // namespace misrule::controller
