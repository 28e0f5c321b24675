#include "spec/dsl/declared_test.h"

#include "spec/dsl/step_value.h"

namespace misrule::dsl {

using star::Value;

namespace {

struct Called {
  Value value = {};
  BodyResult result = {};
};

Called call(star::Thread& thread, const RunState& run, const Value& function,
            std::span<const Value> arguments) {
  try {
    auto value = thread.runtime().try_call(thread, function, arguments);
    if (value) return {.value = *value, .result = {.completed = true}};
    const star::Failure& failure = value.error();
    return {.result = {.cancelled = failure.cancelled,
                       .undecided = failure.cancelled && run.cut_short,
                       .finding = finding_of(failure.problems.front())}};
  } catch (const InfrastructureFailed& failed) {
    return {
        .result = {.infrastructure = true, .finding = model::Finding{.message = failed.reason()}}};
  } catch (const Undecided& undecided) {
    return {.result = {.undecided = true, .finding = finding_of(undecided.diagnostic())}};
  }
}

BodyResult failed_at(star::Span at, const std::string& message, bool infrastructure) {
  return {.infrastructure = infrastructure,
          .finding = finding_of(diagnostic_at(star::Severity::kError, at, message))};
}

/// What any scenario without faults must return: no response, or one that is no error of a server.
BodyResult judge_control(const Value& value, star::Span at) {
  const auto* response = value.as<ResponseValue>();
  if (response == nullptr) return {.completed = true};
  const StepReply& reply = response->reply();
  if (reply.status >= 500) {
    return failed_at(at, fmt::format("without faults the scenario got status {}", reply.status),
                     false);
  }
  if (!reply.ok && reply.status == 0) {
    return failed_at(at, "without faults the scenario got no answer: " + reply.error, false);
  }
  return {.completed = true};
}

}  // namespace

BodyResult BodyToRun::run(star::Thread& thread, RunState& run) const {
  run.rules_made = rules.size();
  run.monitors.insert(run.monitors.end(), monitors.begin(), monitors.end());
  for (const model::Rule& rule : rules) run.labels.insert(rule.id());
  Result<ArmId> armed = ArmId{0};
  if (!rules.empty()) {
    const star::Runtime::Release unlocked(thread.runtime());
    armed = run.host.arm(rules);
  }
  if (!armed) {
    return failed_at(at, armed.error().what, armed.error().code != Code::kInvalid);
  }
  Called called = call(thread, run, function, {});
  Status ended;
  if (!rules.empty()) {
    const star::Runtime::Release unlocked(thread.runtime());
    ended = run.host.disarm(*armed);
  }
  if (!called.result.completed) return called.result;
  if (!ended) return failed_at(at, ended.error().what, true);
  if (judge.is_unbound()) {
    return is_control ? judge_control(called.value, at) : called.result;
  }
  const Value arguments[] = {called.value};
  return call(thread, run, judge, arguments).result;
}

}  // namespace misrule::dsl
