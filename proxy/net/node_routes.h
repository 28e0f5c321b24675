#pragma once

// Servers that other servers spoke of, and the listeners that lead to them. Thread-safe.

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "base/result.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

class NodeRoutes {
 public:
  /// A cluster has at most 1000 masters or so; what is beyond this is left alone.
  static constexpr std::size_t kNodesMax = 4096;

  /// "host:port" of the listener for the server at `node` that somebody behind `origin` spoke of;
  /// empty if there is none. `open` makes one, with what it is given, and answers where it is.
  std::string find(const Listener& origin, std::string_view node,
                   const std::function<Result<Endpoint>(const Listener&)>& open);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // Service, interface, server.

  std::mutex mutex_;
  std::map<Key, std::string> routes_;
};

}  // namespace misrule::proxy
