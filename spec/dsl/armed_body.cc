#include "spec/dsl/armed_body.h"

#include <fmt/format.h>

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

ArmId arm(const Args& args, TestHost& host, std::vector<model::Rule> rules) {
  Result<ArmId> armed = [&] {
    const star::Runtime::Release unlocked(args.thread().runtime());
    return host.arm(std::move(rules));
  }();
  if (armed) return *armed;
  if (armed.error().code != Code::kInvalid) throw InfrastructureFailed(armed.error().what);
  args.fail(star::code::kValue, armed.error().what);
}

Status disarm(const Args& args, TestHost& host, ArmId armed) {
  const star::Runtime::Release unlocked(args.thread().runtime());
  return host.disarm(armed);
}

}  // namespace

Value body_of(const Args& args, std::size_t keyword) {
  const Value& body = args.keyword(keyword);
  if (body.is_callable()) return body;
  args.fail_at(args.keyword_value_span(keyword), star::code::kArgument,
               fmt::format("run= wants a function, not a {}", body.type_name()),
               "run=f hands the function over; run=f() calls it before the fault");
}

void require_body(const Args& args, const Value& body) {
  if (body.is_callable()) return;
  args.fail_at(args.call_span(), star::code::kArgument, "missing argument for run",
               "run= is the function during which the rules hold");
}

Value run_armed(const Args& args, const Value& body, std::vector<model::Rule> rules) {
  RunState& run = run_of(args);
  const ArmId armed = arm(args, run.host, std::move(rules));
  Value result;
  try {
    result = args.thread().runtime().call(args.thread(), body, {});
  } catch (...) {
    // What went wrong first is what people need to see; that the end of the fault failed too is a
    // note.
    if (auto ended = disarm(args, run.host, armed); !ended) {
      session_of(args).run_notes.push_back("ending the fault: " + ended.error().what);
    }
    throw;
  }
  if (auto ended = disarm(args, run.host, armed); !ended) {
    throw InfrastructureFailed(ended.error().what);
  }
  args.thread().check_cancelled();
  return result;
}

}  // namespace misrule::dsl
