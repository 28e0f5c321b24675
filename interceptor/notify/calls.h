#pragma once

// One waiting call: its facts, the verdict, the answer or a place in the table of held calls.
// On the supervisor's thread only.

#include <string>
#include <vector>

#include "base/clock.h"
#include "interceptor/decide/decider.h"
#include "interceptor/interceptor.h"
#include "interceptor/notify/served.h"

namespace misrule::interceptor {

class Calls {
 public:
  Calls(const Options& options, const Clock& clock);

  void handle(Served& served, const Notification& call);
  /// Its time has come, or its rule has ended.
  void go_on(Served& served, HeldCall held);

  /// Tells why calls that a rule held went on before their time.
  void emit_released(const std::string& service, const std::string& rule, std::string detail);

  Decider& decider() { return decider_; }
  HeldCalls& held() { return held_; }
  Counters& counters() { return counters_; }

 private:
  using Rows = std::vector<const SyscallRow*>;

  void handle_connect(Served& served, const Notification& call);
  void hold_connect(Served& served, HeldCall held, Duration delay);
  void finish_gated(Served& served, const ConnectCall& connect);
  void perform_connect(Served& served, const ConnectCall& connect);
  void deny_io_uring(Served& served, const Notification& call);
  Verdict judge(Served& served, const Notification& call, const SyscallRow& row);
  Verdict judge_connect(Served& served, const Notification& call, const ConnectCall& connect);
  Verdict judge_facts(Served& served, const Notification& call, const SyscallRow& row,
                      CallFacts facts, Interest interest);
  bool apply(Served& served, const Notification& call, const Verdict& verdict);
  void hold(Served& served, HeldCall held, Duration delay);
  void emit(const CallFacts& facts, const Verdict& verdict, const Notification& call,
            const SyscallRow& row);
  void emit_undeclared(Served& served, const ConnectCall& connect);

  model::EventSink& sink_;
  ConnectRouter& router_;
  const model::Topology& topology_;
  const Clock& clock_;
  Decider decider_;
  HeldCalls held_ = {};
  Counters counters_ = {};
  std::vector<Rows> rows_by_number_ = {};
  int connect_number_ = -1;
  int io_uring_number_ = -1;
};

}  // namespace misrule::interceptor
