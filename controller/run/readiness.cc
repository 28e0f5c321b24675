#include "controller/run/readiness.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "controller/steps/steps.h"

namespace misrule::controller {
namespace {

constexpr auto kProbeTimeout = std::chrono::seconds(2);

/// A server that was told "localhost" may listen on one of the two loopback addresses alone.
template <class Probe>
Status on_loopback(const ServicePlan& plan, std::uint16_t port, Probe probe) {
  StepTarget target = plan.step;
  target.port = port;
  Status answer = probe(target);
  if (answer) return answer;
  target.host = "::1";
  return probe_tcp(target, kProbeTimeout) ? probe(target) : answer;
}

Status probe_interface(const ServicePlan& plan, model::Protocol protocol, std::uint16_t port) {
  return on_loopback(plan, port, [protocol](const StepTarget& target) {
    switch (protocol) {
      case model::Protocol::kPostgres:
        return probe_postgres(target, kProbeTimeout);
      case model::Protocol::kRedis:
        return probe_redis(target, kProbeTimeout);
      default:
        return probe_tcp(target, kProbeTimeout);
    }
  });
}

/// What a look at the server itself can speak. A server that wants TLS is seen to accept.
model::Protocol probed_protocol(const model::Interface& interface) {
  const bool is_looked_into =
      !interface.upstream_tls || interface.protocol == model::Protocol::kPostgres;
  return is_looked_into ? interface.protocol : model::Protocol::kTcp;
}

model::Protocol protocol_at(const model::Service& service, std::uint16_t port) {
  for (const model::Interface& interface : service.interfaces) {
    if (interface.port == port) return probed_protocol(interface);
  }
  return model::Protocol::kTcp;
}

}  // namespace

Status probe_service(const ServicePlan& plan) {
  const model::Healthcheck& check = plan.service.healthcheck;
  switch (check.kind) {
    case model::Healthcheck::Kind::kHttp:
      return on_loopback(plan, check.port, [&check](StepTarget target) {
        target.authority = fmt::format("{}:{}", check.host, check.port);
        return probe_http(target, check.path, kProbeTimeout);
      });
    case model::Healthcheck::Kind::kTcp:
      return probe_interface(plan, protocol_at(plan.service, check.port), check.port);
    case model::Healthcheck::Kind::kNone:
      break;
  }
  for (const model::Interface& interface : plan.service.interfaces) {
    MISRULE_TRY_VOID(probe_interface(plan, probed_protocol(interface), interface.port));
  }
  return {};
}

bool speaks_postgres(const ServicePlan& plan) {
  const auto is_postgres = [](const model::Interface& interface) {
    return interface.protocol == model::Protocol::kPostgres;
  };
  return std::ranges::any_of(plan.service.interfaces, is_postgres);
}

bool says_when_it_accepts(const ServicePlan& plan) {
  return plan.stand_in != nullptr && speaks_postgres(plan);
}

LogHint read_hint(std::string_view line) {
  const auto says = [line](std::string_view text) { return line.find(text) != line.npos; };
  if (says("PANIC:  ") || says("terminating any other active server processes")) {
    return LogHint::kCrashed;
  }
  if (says("database system is ready to accept connections")) return LogHint::kAccepts;
  return LogHint::kNothing;
}

}  // namespace misrule::controller
