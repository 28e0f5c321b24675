#include "controller/run/routes.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "controller/steps/own_connections.h"

namespace misrule::controller {
namespace {

constexpr unsigned kLoopbackNet = 127;

bool is_loopback_v4(std::uint32_t network_order) {
  const std::uint32_t address = ntohl(network_order);
  return address == INADDR_ANY || address >> 24U == kLoopbackNet;
}

sockaddr_in as_v4(const sockaddr_storage& address) {
  sockaddr_in out = {};
  std::memcpy(&out, &address, sizeof out);
  return out;
}

sockaddr_in6 as_v6(const sockaddr_storage& address) {
  sockaddr_in6 out = {};
  std::memcpy(&out, &address, sizeof out);
  return out;
}

bool is_loopback_v6(const in6_addr& address) {
  if (IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address)) return true;
  if (!IN6_IS_ADDR_V4MAPPED(&address)) return false;
  std::uint32_t mapped = 0;
  std::memcpy(&mapped, &address.s6_addr[12], sizeof mapped);
  return is_loopback_v4(mapped);
}

}  // namespace

std::uint16_t loopback_port(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const sockaddr_in v4 = as_v4(address);
    return is_loopback_v4(v4.sin_addr.s_addr) ? ntohs(v4.sin_port) : 0;
  }
  if (address.ss_family == AF_INET6) {
    const sockaddr_in6 v6 = as_v6(address);
    return is_loopback_v6(v6.sin6_addr) ? ntohs(v6.sin6_port) : 0;
  }
  return 0;
}

proxy::Endpoint loopback_endpoint(std::uint16_t port, sa_family_t family) {
  proxy::Endpoint endpoint;
  if (family == AF_INET6) {
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    ::inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
    std::memcpy(&endpoint.address, &v6, sizeof v6);
    endpoint.size = sizeof v6;
    return endpoint;
  }
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::memcpy(&endpoint.address, &v4, sizeof v4);
  endpoint.size = sizeof v4;
  return endpoint;
}

proxy::Endpoint loopback_v6_endpoint(std::uint16_t port) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  proxy::Endpoint endpoint;
  std::memcpy(&endpoint.address, &v6, sizeof v6);
  endpoint.size = sizeof v6;
  return endpoint;
}

Status Routes::add(const std::string& consumer, const model::Service& service,
                   const model::Interface& interface) {
  // The test's own steps need no TLS; what they reach has it all the same.
  const bool is_test = consumer == kTestConsumer;
  auto id = proxy_.add_listener({.service = service.name,
                                 .interface = interface.name,
                                 .protocol = interface.protocol,
                                 .consumer = consumer,
                                 .listen = loopback_endpoint(0, AF_INET),
                                 .upstream = loopback_endpoint(interface.port, AF_INET),
                                 .upstream_else = loopback_v6_endpoint(interface.port),
                                 .tls = is_test ? std::nullopt : interface.tls,
                                 .upstream_tls = interface.upstream_tls});
  if (!id) {
    return std::unexpected(std::move(id).error().with(
        fmt::format("the proxy of {}.{} for {}", service.name, interface.name, consumer)));
  }
  listeners_.emplace(Key{consumer, service.name, interface.name}, *id);
  return {};
}

Status Routes::add_for_all(const model::Topology& topology, const model::Service& service,
                           const model::Interface& interface) {
  by_port_.emplace(interface.port, Declared{.service = service.name, .interface = interface.name});
  MISRULE_TRY_VOID(add(std::string(kTestConsumer), service, interface));
  for (const model::Service& consumer : topology.services) {
    MISRULE_TRY_VOID(add(consumer.name, service, interface));
  }
  return {};
}

Result<std::unique_ptr<Routes>> Routes::make(const model::Topology& topology, proxy::Proxy& proxy) {
  std::unique_ptr<Routes> routes(new Routes(proxy));
  for (const model::Service& service : topology.services) {
    for (const model::Interface& interface : service.interfaces) {
      MISRULE_TRY_VOID(routes->add_for_all(topology, service, interface));
    }
  }
  return routes;
}

const Routes::Declared* Routes::find_declared(const sockaddr_storage& destination) const {
  const std::uint16_t port = loopback_port(destination);
  const auto found = port == 0 ? by_port_.end() : by_port_.find(port);
  return found == by_port_.end() ? nullptr : &found->second;
}

interceptor::Route Routes::lookup(std::string_view consumer, const sockaddr_storage& destination) {
  const Declared* declared = find_declared(destination);
  if (declared == nullptr) return {};
  interceptor::Route route = {.kind = interceptor::Route::Kind::kRedirect};
  route.service = declared->service;
  route.interface = declared->interface;
  // A server's own processes that reach it are its inner life, not traffic between services.
  if (declared->service == consumer) route.kind = interceptor::Route::Kind::kUntouched;
  return route;
}

bool Routes::is_observer(const interceptor::SocketEnds& ends) {
  return OwnConnections::of_this_process().contains(
      {.client = loopback_port(ends.peer), .server = loopback_port(ends.own)}, ends.peer_is_open);
}

interceptor::Route Routes::open(std::string_view consumer, const sockaddr_storage& destination) {
  interceptor::Route route = lookup(consumer, destination);
  if (route.kind != interceptor::Route::Kind::kRedirect) return route;
  const auto listener = listeners_.find(Key{consumer, route.service, route.interface});
  if (listener == listeners_.end()) return {};
  int error_number = 0;
  if (!proxy_.open_upstream(listener->second, &error_number)) {
    route.kind = interceptor::Route::Kind::kRefuse;
    route.error = error_number != 0 ? error_number : ECONNREFUSED;
    return route;
  }
  const proxy::Endpoint at = proxy_.listening_at(listener->second);
  const proxy::Endpoint to = loopback_endpoint(loopback_port(at.address), destination.ss_family);
  route.to = to.address;
  route.to_size = to.size;
  return route;
}

Result<std::uint16_t> Routes::open_for_test(const std::string& service,
                                            const std::string& interface) const {
  const std::string name = service + "." + interface;
  const auto found = listeners_.find(Key{std::string(kTestConsumer), service, interface});
  if (found == listeners_.end()) return fail(Code::kNotFound, "there is no interface " + name);
  int error_number = 0;
  if (!proxy_.open_upstream(found->second, &error_number)) {
    return std::unexpected(
        errno_error("connect to " + name, error_number != 0 ? error_number : ECONNREFUSED));
  }
  return loopback_port(proxy_.listening_at(found->second).address);
}

}  // namespace misrule::controller
