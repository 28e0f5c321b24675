#include "controller/run/poll_host.h"

#include <sys/eventfd.h>

#include "controller/steps/steps.h"

namespace misrule::controller {
namespace {

constexpr int kServerError = 500;

std::unexpected<Error> refusal() {
  return fail(Code::kUnsupported, "a function that has no part in the test only makes steps");
}

}  // namespace

PollHost::PollHost(const Services& services)
    : services_(services), stopped_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void PollHost::stop() { ::eventfd_write(stopped_.fd(), 1); }

dsl::StepReply PollHost::step(const dsl::StepCall& call) { return ask(call, stopped_.fd()); }

dsl::StepReply PollHost::ask(const dsl::StepCall& call, int interrupt_fd) const {
  const ServicePlan* plan = services_.find_plan(call.service);
  if (plan == nullptr) return {.error = "there is no service " + call.service};
  StepTarget target = plan->step;
  if (const auto* declared = plan->service.find_interface(call.interface); declared != nullptr) {
    target.port = declared->port;
    target.authority = fmt::format("localhost:{}", declared->port);
  }
  return run_step(call, target, interrupt_fd);
}

dsl::StepReply ResetHost::step(const dsl::StepCall& call) {
  dsl::StepReply reply = ask(call, interrupt_fd_);
  const bool failed = !reply.error.empty() || reply.status >= kServerError;
  if (failed && outcome_) {
    const std::string why =
        reply.error.empty() ? fmt::format("status {}", reply.status) : reply.error;
    outcome_ = fail(Code::kInvalid,
                    fmt::format("a step on {}.{} failed: {}", call.service, call.interface, why));
  }
  return reply;
}

Result<dsl::ArmId> PollHost::arm(std::vector<model::Rule>) { return refusal(); }
Status PollHost::disarm(dsl::ArmId) { return refusal(); }
Result<std::size_t> PollHost::release(const std::string&) { return refusal(); }
Status PollHost::barrier(Duration) { return refusal(); }
Result<std::string> PollHost::attach(const std::string&, const std::string&) { return refusal(); }

}  // namespace misrule::controller
