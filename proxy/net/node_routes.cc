#include "proxy/net/node_routes.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "proxy/net/unix_sockets.h"

namespace misrule::proxy {

namespace {

constexpr Logger kLog{"proxy/net"};

bool is_everywhere(const std::string& listening) {
  return listening.starts_with("0.0.0.0:") || listening.starts_with("[::]:");
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

std::string port_of(const std::string& endpoint) { return endpoint.substr(endpoint.rfind(':')); }

// Brackets belong to endpoints; a cluster writes "::1:7001", and an IPv4 client of an IPv6 socket
// knows the address as its own.
std::string told(const std::string& listening, const Endpoint& met_at) {
  const bool here = is_everywhere(listening) && met_at.size != 0 && !is_unix(met_at);
  std::string host = host_of(here ? endpoint_text(met_at) : listening);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  constexpr std::string_view kMapped = "::ffff:";
  if (host.starts_with(kMapped) && host.find('.') != std::string::npos) {
    host = host.substr(kMapped.size());
  }
  return host + port_of(listening);
}

// Of two ports of a server, the one on which is spoken what we speak with servers. Leaves the
// address alone.
bool is_for(const Listener& listener, std::string_view& node) {
  constexpr std::string_view kPlain = "plain:";
  constexpr std::string_view kTls = "tls:";
  const bool is_plain = node.starts_with(kPlain);
  const bool is_tls = node.starts_with(kTls);
  if (is_plain) node.remove_prefix(kPlain.size());
  if (is_tls) node.remove_prefix(kTls.size());
  return listener.upstream_tls ? !is_plain : !is_tls;
}

// Why no server's address can be replaced for clients of this listener; empty: it can.
std::string_view why_not(const Listener& listener) {
  if (is_unix(listener.listen)) return "clients of a Unix socket have no address to be told";
  if (is_unix(listener.upstream)) return "the server is on a Unix socket, and has no address";
  return {};
}

}  // namespace

NodeRoutes::NodeRoutes(NameLookup::Resolver resolver)
    : names_(std::move(resolver), std::chrono::seconds(10), std::chrono::seconds(10)) {}

// Said once, for people: clients leave the proxy behind.
std::string NodeRoutes::leave_alone(std::string_view node, std::string_view why) {
  constexpr std::size_t kSaidMax = 256;
  const std::lock_guard lock(mutex_);
  if (left_alone_.size() >= kSaidMax) return {};
  std::string said = fmt::format("the address {} is passed on as it is: {}", node, why);
  const auto [it, is_new] = left_alone_.insert(std::move(said));
  if (is_new) kLog.warn("{}", *it);
  return {};
}

Result<Endpoint> NodeRoutes::server_at(const std::string& node) {
  if (auto at = parse_endpoint(node)) return at;
  const std::string name = host_of(node);
  const auto address = names_.find(name);
  if (!address) return fail(Code::kNotFound, fmt::format("nobody knows the name {}", name));
  const bool is_v6 = address->find(':') != std::string::npos;
  return parse_endpoint((is_v6 ? "[" + *address + "]" : *address) + port_of(node));
}

std::string NodeRoutes::find(const Origin& origin, std::string_view node,
                             const std::function<Result<Endpoint>(const Listener&)>& open) {
  const Listener& listener = origin.listener;
  if (!is_for(listener, node)) return {};
  // Within a test, connections find their proxies by themselves.
  if (!listener.consumer.empty()) return {};
  if (const auto why = why_not(listener); !why.empty()) return leave_alone(node, why);
  const std::string here = endpoint_text(listener.listen);
  const std::string upstream = endpoint_text(listener.upstream);
  const std::string wanted_node = endpoint_of(node, host_of(upstream));
  if (wanted_node.empty()) return {};
  const auto server = server_at(wanted_node);
  if (!server) return leave_alone(node, server.error().what);
  if (is_unix(*server)) return {};
  const std::lock_guard lock(mutex_);
  const auto key_of = [&](std::string at) {
    return Key{listener.service, listener.interface, std::move(at)};
  };
  routes_.try_emplace(key_of(upstream), here);
  const Key key = key_of(endpoint_text(*server));
  if (const auto known = routes_.find(key); known != routes_.end()) {
    return told(known->second, origin.met_at);
  }
  if (routes_.size() >= kNodesMax) return {};
  Listener wanted = listener;
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
  const auto route = routes_.emplace(key, endpoint_text(*opened)).first;
  return told(route->second, origin.met_at);
}

}  // namespace misrule::proxy
