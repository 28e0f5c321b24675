#include "controller/steps/steps.h"

#include "controller/steps/http_client.h"
#include "controller/steps/postgres_client.h"
#include "controller/steps/redis_client.h"
#include "controller/steps/waiting.h"

namespace misrule::controller {
namespace {

struct Runner {
  const StepTarget& target;
  Patience patience;

  dsl::StepReply operator()(const dsl::HttpStep& step) const {
    return run_http(step, target, patience);
  }
  dsl::StepReply operator()(const dsl::SqlStep& step) const {
    return run_sql(step, target, patience);
  }
  dsl::StepReply operator()(const dsl::RedisStep& step) const {
    return run_redis(step, target, patience);
  }
};

Code code_of(const dsl::StepReply& reply) {
  if (reply.error.find("refused") != std::string::npos) return Code::kRefused;
  return reply.error.starts_with("timed out") ? Code::kTimeout : Code::kIo;
}

}  // namespace

dsl::StepReply run_step(const dsl::StepCall& call, const StepTarget& target, int interrupt_fd) {
  const auto began = std::chrono::steady_clock::now();
  const Runner runner{target, Patience::start(call.timeout, interrupt_fd)};
  dsl::StepReply reply = std::visit(runner, call.step);
  reply.took = std::chrono::steady_clock::now() - began;
  return reply;
}

Status probe_postgres(const StepTarget& target, Duration timeout) {
  const auto reply = run_sql({.sql = "SELECT 1"}, target, Patience::start(timeout, -1));
  if (reply.ok) return {};
  return fail(code_of(reply), reply.error);
}

Status probe_http(const StepTarget& target, const std::string& path, Duration timeout) {
  const auto reply =
      run_http({.method = "GET", .path = path}, target, Patience::start(timeout, -1));
  if (reply.status >= 200 && reply.status < 300) return {};
  if (reply.status != 0)
    return fail(Code::kRefused, fmt::format("GET {} answers {}", path, reply.status));
  return fail(code_of(reply), reply.error);
}

Status probe_redis(const StepTarget& target, Duration timeout) {
  const auto reply = run_redis({.words = {"PING"}}, target, Patience::start(timeout, -1));
  // A server that asks for a password that nobody declared answers all the same.
  if (reply.ok || reply.code == "NOAUTH") return {};
  return fail(code_of(reply), reply.error);
}

Status probe_tcp(const StepTarget& target, Duration timeout) {
  MISRULE_TRY(const UniqueFd socket, connect_tcp(target, Patience::start(timeout, -1)));
  return {};
}

}  // namespace misrule::controller
