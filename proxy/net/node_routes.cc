#include "proxy/net/node_routes.h"

#include <fmt/format.h>

#include "base/log.h"
#include "proxy/net/unix_sockets.h"

namespace misrule::proxy {

namespace {

constexpr Logger kLog{"proxy/net"};

// Clients are told an address, so it must be one: not every address of the machine, nor a file.
bool can_be_told(const std::string& listening) {
  return !listening.starts_with("0.0.0.0:") && !listening.starts_with("[::]:") &&
         !listening.starts_with("unix:");
}

std::string host_of(const std::string& endpoint) { return endpoint.substr(0, endpoint.rfind(':')); }

/// "10.0.0.1:7001" and "::1:7001" as endpoints are written; nothing in front of the colon is
/// `own_host`.
std::string endpoint_of(std::string_view node, const std::string& own_host) {
  const std::size_t colon = node.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view host = node.substr(0, colon);
  const std::string_view port = node.substr(colon + 1);
  if (host.empty()) return fmt::format("{}:{}", own_host, port);
  const bool is_bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return is_bare_v6 ? fmt::format("[{}]:{}", host, port) : std::string(node);
}

// Brackets belong to endpoints; a cluster writes "::1:7001".
std::string told(const std::string& endpoint) {
  if (!endpoint.starts_with('[')) return endpoint;
  const std::size_t end = endpoint.find(']');
  return endpoint.substr(1, end - 1) + endpoint.substr(end + 1);
}

}  // namespace

std::string NodeRoutes::find(const Listener& origin, std::string_view node,
                             const std::function<Result<Endpoint>(const Listener&)>& open) {
  const std::string here = endpoint_text(origin.listen);
  const std::string upstream = endpoint_text(origin.upstream);
  // Within a test, connections find their proxies by themselves.
  const bool leads = origin.consumer.empty() && !origin.tls && !origin.upstream_tls;
  if (!leads || !can_be_told(here) || is_unix(origin.upstream)) return {};
  const auto server = parse_endpoint(endpoint_of(node, host_of(upstream)));
  if (!server || is_unix(*server)) return {};
  const std::lock_guard lock(mutex_);
  const auto key_of = [&](std::string at) {
    return Key{origin.service, origin.interface, std::move(at)};
  };
  routes_.try_emplace(key_of(upstream), told(here));
  const Key key = key_of(endpoint_text(*server));
  if (const auto known = routes_.find(key); known != routes_.end()) return known->second;
  if (routes_.size() >= kNodesMax) return {};
  Listener wanted = origin;
  wanted.upstream = *server;
  wanted.upstream_else = {};
  const auto at = parse_endpoint(host_of(here) + ":0");
  if (!at) return {};
  wanted.listen = *at;
  const auto opened = open(wanted);
  if (!opened) {
    kLog.warn("no listener for {}: {}", std::get<2>(key), opened.error().what);
    return {};
  }
  kLog.info("{} leads to {}, of which {} spoke", endpoint_text(*opened), std::get<2>(key),
            upstream);
  return routes_.emplace(key, told(endpoint_text(*opened))).first->second;
}

}  // namespace misrule::proxy
