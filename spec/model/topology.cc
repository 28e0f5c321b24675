#include "spec/model/topology.h"

#include <algorithm>
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

std::string observed_type(const Observed& observed) {
  if (const auto* printed = std::get_if<PrintedLines>(&observed)) return printed->stream;
  constexpr std::array<const char*, 6> kTypes = {"stdout", "file",      "keyspace",
                                                 "pubsub", "tail_http", "poll"};
  return kTypes[observed.index()];
}

bool Service::observes(std::string_view type) const {
  if (type == "wal") return wal_stream.has_value();
  return std::ranges::any_of(observed,
                             [type](const Observed& one) { return observed_type(one) == type; });
}

const Service* Topology::find_service(std::string_view wanted) const {
  for (const Service& candidate : services) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

std::optional<ServerTls::Verify> verify_from_name(std::string_view name) {
  if (name == "none") return ServerTls::Verify::kNone;
  if (name == "chain") return ServerTls::Verify::kChain;
  if (name == "full") return ServerTls::Verify::kFull;
  return std::nullopt;
}

bool Topology::needs_authority() const {
  const auto is_made = [](const Interface& interface) {
    return interface.tls && interface.tls->cert.empty();
  };
  return std::ranges::any_of(services, [&is_made](const Service& service) {
    return std::ranges::any_of(service.interfaces, is_made);
  });
}

}  // namespace misrule::model
