#include "spec/model/topology.h"

#include <array>
#include <utility>

namespace misrule::model {
namespace {

constexpr std::array<std::pair<Protocol, std::string_view>, 6> kProtocols = {{
    {Protocol::kTcp, "tcp"},
    {Protocol::kHttp, "http"},
    {Protocol::kPostgres, "postgres"},
    {Protocol::kRedis, "redis"},
    {Protocol::kKafka, "kafka"},
    {Protocol::kGrpc, "grpc"},
}};

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  for (const auto& [value, name] : kProtocols) {
    if (value == protocol) return name;
  }
  return "unknown";
}

std::optional<Protocol> protocol_from_name(std::string_view name) {
  for (const auto& [value, known] : kProtocols) {
    if (known == name) return value;
  }
  return std::nullopt;
}

const Interface* Service::find_interface(std::string_view wanted) const {
  for (const Interface& candidate : interfaces) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

const Service* Topology::find_service(std::string_view wanted) const {
  for (const Service& candidate : services) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

}  // namespace misrule::model
