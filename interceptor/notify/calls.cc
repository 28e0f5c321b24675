#include "interceptor/notify/calls.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "interceptor/notify/facts_reader.h"
#include "interceptor/notify/objects.h"
#include "spec/model/topology.h"

namespace misrule::interceptor {
namespace {

constexpr Duration kGateDelayMin = std::chrono::seconds(1);
constexpr std::uint64_t kUndeclaredToldMax = 64;
constexpr std::size_t kUndeclaredKnownMax = 1024;

const SyscallRow& connect_row() {
  return *std::ranges::find(syscall_rows(), Family::kConnect, &SyscallRow::family);
}

void give(Listener& listener, std::uint64_t id, const ConnectAnswer& answer) {
  switch (answer.kind) {
    case ConnectAnswer::Kind::kGoOn:
      listener.let_go_on(id);
      return;
    case ConnectAnswer::Kind::kSucceed:
      listener.succeed(id);
      return;
    case ConnectAnswer::Kind::kFail:
      listener.fail_with(id, answer.error);
      return;
  }
}

model::Event event_of(const std::string& service, std::string type) {
  model::Event event;
  event.service = service;
  event.type = std::move(type);
  return event;
}

}  // namespace

Calls::Calls(const Options& options, const Clock& clock)
    : sink_(options.sink),
      router_(options.router),
      topology_(options.topology),
      clock_(clock),
      decider_(options.seed),
      connect_number_(syscall_number("connect")),
      io_uring_number_(syscall_number("io_uring_setup")) {
  for (const SyscallRow& row : syscall_rows()) {
    const int number = syscall_number(row.name);
    if (number < 0) continue;
    const auto index = static_cast<std::size_t>(number);
    if (rows_by_number_.size() <= index) rows_by_number_.resize(index + 1);
    rows_by_number_[index].push_back(&row);
  }
}

void Calls::handle(Served& served, const Notification& call) {
  ++counters_.seen;
  if (call.number == connect_number_) return handle_connect(served, call);
  if (call.number == io_uring_number_) return deny_io_uring(served, call);
  const auto index = static_cast<std::size_t>(call.number);
  if (index < rows_by_number_.size()) {
    for (const SyscallRow* row : rows_by_number_[index]) {
      const Verdict verdict = judge(served, call, *row);
      if (verdict.action != Verdict::Action::kAllow && apply(served, call, verdict)) return;
    }
  }
  served.listener.let_go_on(call.id);
}

Verdict Calls::judge(Served& served, const Notification& call, const SyscallRow& row) {
  const Interest interest = decider_.interest(served.service->id, row.family);
  if (!interest.any) return {};
  CallFacts facts;
  facts.service = served.service->id;
  facts.syscall = row.name;
  facts.family = row.family;
  read_subject(call, row, router_, facts);
  return judge_facts(served, call, row, std::move(facts), interest);
}

Verdict Calls::judge_facts(Served& served, const Notification& call, const SyscallRow& row,
                           CallFacts facts, Interest interest) {
  if (interest.actor) {
    const auto process = process_of(call.tid);
    if (process) facts.actor = served.service->tree.path_of(*process);
  }
  // What was read may be another process's by now.
  if (!served.listener.is_valid(call.id)) return {};
  Verdict verdict = decider_.decide(facts);
  if (verdict.reported) emit(facts, verdict, call, row);
  return verdict;
}

// False: nothing was done, the call goes on.
bool Calls::apply(Served& served, const Notification& call, const Verdict& verdict) {
  if (verdict.action == Verdict::Action::kDeny) {
    ++counters_.denied;
    served.listener.fail_with(call.id, verdict.error);
    return true;
  }
  if (verdict.action == Verdict::Action::kDelay) {
    hold(served, {.listener = served.id, .id = call.id, .rule = verdict.rule}, verdict.delay);
    return true;
  }
  return false;
}

void Calls::hold(Served& served, HeldCall held, Duration delay) {
  const TimePoint due = clock_.now() + delay;
  ++counters_.delayed;
  if (!held_.is_full()) return held_.add(std::move(held), due);
  emit_released(served.service->name, held.rule,
                fmt::format("{} calls are held already: one more goes on", HeldCalls::kHeldMax));
  go_on(served, std::move(held));
}

void Calls::emit_released(const std::string& service, const std::string& rule, std::string detail) {
  auto event = event_of(service, "lifecycle");
  event.set("action", std::string("released"));
  event.set("rule", rule);
  event.set("detail", std::move(detail));
  sink_.emit(std::move(event));
}

void Calls::go_on(Served& served, HeldCall held) {
  if (held.gated) {
    finish_gated(served, *held.connect);
  } else if (held.connect) {
    perform_connect(served, *held.connect);
  } else {
    served.listener.let_go_on(held.id);
  }
}

void Calls::handle_connect(Served& served, const Notification& call) {
  auto connect = read_connect(call);
  // A second connect() asks how the first one goes, and the kernel knows.
  if (!connect || !connect->fresh) {
    served.listener.let_go_on(call.id);
    return;
  }
  const Verdict verdict = judge_connect(served, call, *connect);
  if (verdict.action == Verdict::Action::kDelay) {
    HeldCall held = {.listener = served.id, .id = call.id, .rule = verdict.rule};
    held.connect = *std::move(connect);
    return hold_connect(served, std::move(held), verdict.delay);
  }
  if (!apply(served, call, verdict)) perform_connect(served, *connect);
}

// A program whose socket does not block waits for it beside everything else that it does: its
// thread must not hang in the call. Below the granularity of retransmissions the hang is the lesser
// evil.
void Calls::hold_connect(Served& served, HeldCall held, Duration delay) {
  const ConnectCall& connect = *held.connect;
  if (connect.blocking || connect.kind != FdKind::kTcp || delay < kGateDelayMin) {
    return hold(served, std::move(held), delay);
  }
  const Route route = router_.open(served.service->name, connect.destination.address);
  const bool valid = served.listener.is_valid(held.id);
  if (!valid || route.kind != Route::Kind::kRedirect) return hold(served, std::move(held), delay);
  const ConnectAnswer answer = connect_gated(connect, {.address = route.to, .size = route.to_size});
  give(served.listener, held.id, answer);
  held.gated = true;
  if (answer.error == EINPROGRESS) hold(served, std::move(held), delay);
}

// The upstream that was opened with the handshake is closed by now: it is asked again.
void Calls::finish_gated(Served& served, const ConnectCall& connect) {
  const Route route = router_.open(served.service->name, connect.destination.address);
  if (route.kind == Route::Kind::kRedirect) {
    open_gate(connect);
  } else {
    abandon(connect);
  }
}

Verdict Calls::judge_connect(Served& served, const Notification& call, const ConnectCall& connect) {
  const Interest interest = decider_.interest(served.service->id, Family::kConnect);
  if (!interest.any) return {};
  CallFacts facts;
  facts.service = served.service->id;
  facts.syscall = connect_row().name;
  facts.family = Family::kConnect;
  facts.kind = connect.kind;
  facts.destination = destination_text(connect.destination);
  if (connect.kind == FdKind::kTcp) {
    Route route = router_.lookup(served.service->name, connect.destination.address);
    facts.to_service = std::move(route.service);
    facts.to_interface = std::move(route.interface);
  } else {
    facts.path = unix_path(call.tid, connect.destination);
  }
  return judge_facts(served, call, connect_row(), std::move(facts), interest);
}

void Calls::perform_connect(Served& served, const ConnectCall& connect) {
  Listener& listener = served.listener;
  if (connect.kind != FdKind::kTcp) {
    listener.let_go_on(connect.id);
    return;
  }
  const Route route = router_.open(served.service->name, connect.destination.address);
  if (route.kind == Route::Kind::kUntouched) {
    if (route.service.empty()) emit_undeclared(served, connect);
    listener.let_go_on(connect.id);
    return;
  }
  if (route.kind == Route::Kind::kRefuse) {
    listener.fail_with(connect.id, route.error != 0 ? route.error : ECONNREFUSED);
    return;
  }
  // The socket is not to be connected for a call that nobody waits for any more.
  if (!listener.is_valid(connect.id)) return;
  give(listener, connect.id,
       connect_through(connect, {.address = route.to, .size = route.to_size}));
}

// A ring's reads and writes pass no filter: the program gets what an older kernel would say, and
// falls back to ordinary calls.
void Calls::deny_io_uring(Served& served, const Notification& call) {
  ++counters_.io_uring_denied;
  served.listener.fail_with(call.id, ENOSYS);
  if (std::exchange(served.service->told_io_uring, true)) return;
  auto event = event_of(served.service->name, "lifecycle");
  event.set("action", std::string("io_uring_denied"));
  event.set("detail",
            std::string("io_uring_setup fails with ENOSYS: no rule could see a ring's calls"));
  sink_.emit(std::move(event));
}

void Calls::emit(const CallFacts& facts, const Verdict& verdict, const Notification& call,
                 const SyscallRow& row) {
  const auto& service = topology_.services[static_cast<std::size_t>(facts.service)].name;
  auto event = event_of(service, "syscall");
  event.set("syscall", std::string(family_name(facts.family)));
  event.set("name", std::string(facts.syscall));
  if (!facts.path.empty()) event.set("path", facts.path);
  if (facts.family == Family::kConnect && facts.path.empty()) {
    event.set("to", facts.to_service.empty() ? facts.destination : facts.to_service);
    if (!facts.to_interface.empty()) event.set("interface", facts.to_interface);
    event.set("address", facts.destination);
  }
  event.set("decision", verdict.decision);
  event.set("rule", verdict.rule);
  if (!verdict.label.empty()) event.set("label", verdict.label);
  if (const auto bytes = read_byte_count(call, row)) {
    event.set("bytes", static_cast<std::int64_t>(*bytes));
  }
  if (const auto process = process_of(call.tid)) event.set("pid", std::int64_t{*process});
  sink_.emit(std::move(event));
}

void Calls::emit_undeclared(Served& served, const ConnectCall& connect) {
  std::string destination = destination_text(connect.destination);
  ++counters_.undeclared;
  auto& known = served.service->undeclared;
  if (known.size() >= kUndeclaredKnownMax && !known.contains(destination)) return;
  if (++known[destination] > kUndeclaredToldMax) return;
  auto event = event_of(served.service->name, "syscall");
  event.set("syscall", std::string("connect"));
  event.set("name", std::string("connect"));
  event.set("to", std::move(destination));
  event.set("decision", std::string("allow"));
  event.set("undeclared", true);
  if (const auto process = process_of(connect.tid)) event.set("pid", std::int64_t{*process});
  sink_.emit(std::move(event));
}

}  // namespace misrule::interceptor
