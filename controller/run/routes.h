#pragma once

// Which proxy stands in front of which declared interface, for whom.

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "interceptor/interceptor.h"
#include "proxy/proxy.h"
#include "spec/model/topology.h"

namespace misrule::controller {

/// The consumer's name of the test's own steps.
inline constexpr std::string_view kTestConsumer = "test";

/// One listener per (consumer, interface): the listener is who asks. Immutable once made, so
/// lookups need no lock.
class Routes final : public interceptor::ConnectRouter {
 public:
  /// Adds a listener for every service and the test on every declared interface.
  static Result<std::unique_ptr<Routes>> make(const model::Topology& topology, proxy::Proxy& proxy);

  interceptor::Route lookup(std::string_view consumer,
                            const sockaddr_storage& destination) override;
  interceptor::Route open(std::string_view consumer, const sockaddr_storage& destination) override;
  bool is_observer(const interceptor::SocketEnds& ends) override;

  /// The port where the test reaches an interface, with its upstream standing already: a server
  /// that refuses connections refuses the test's, too. The error is what the test's connect() would
  /// say.
  Result<std::uint16_t> open_for_test(const std::string& service,
                                      const std::string& interface) const;

 private:
  struct Declared {
    std::string service = {};
    std::string interface = {};
  };
  using Key = std::tuple<std::string, std::string, std::string>;  ///< Consumer, service, interface.

  explicit Routes(proxy::Proxy& proxy) : proxy_(proxy) {}
  Status add(const std::string& consumer, const model::Service& service,
             const model::Interface& interface);
  /// For the test and every service.
  Status add_for_all(const model::Topology& topology, const model::Service& service,
                     const model::Interface& interface);
  const Declared* find_declared(const sockaddr_storage& destination) const;

  proxy::Proxy& proxy_;
  std::map<std::uint16_t, Declared> by_port_ = {};
  std::map<Key, proxy::ListenerId> listeners_ = {};
};

/// The loopback port that an address names, v4-mapped and unspecified ones included; 0 if it is
/// elsewhere.
std::uint16_t loopback_port(const sockaddr_storage& address);
/// 127.0.0.1:`port` for a socket of `family` (AF_INET6: v4-mapped).
proxy::Endpoint loopback_endpoint(std::uint16_t port, sa_family_t family);
/// [::1]:`port`: where a server listens that reads "localhost" as IPv6.
proxy::Endpoint loopback_v6_endpoint(std::uint16_t port);

}  // namespace misrule::controller
