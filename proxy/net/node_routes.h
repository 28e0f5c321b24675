#pragma once

// Servers that other servers spoke of, and the listeners that lead to them. Thread-safe.

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "base/result.h"
#include "proxy/net/name_lookup.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

class NodeRoutes {
 public:
  /// A cluster has at most 1000 masters or so; what is beyond this is left alone.
  static constexpr std::size_t kNodesMax = 4096;

  NodeRoutes() = default;
  explicit NodeRoutes(NameLookup::Resolver resolver);

  /// Who was told of a server: a client of this listener.
  struct Origin {
    const Listener& listener;
    /// The address of ours that it has connected to. Of interest where the listener has all.
    Endpoint met_at = {};
  };
  /// "host:port" of the listener for the server at `node` that somebody behind `origin` spoke of;
  /// empty if there is none. `open` makes one, with what it is given, and answers where it is.
  std::string find(const Origin& origin, std::string_view node,
                   const std::function<Result<Endpoint>(const Listener&)>& open);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // Service, interface, server.

  Result<Endpoint> server_at(const std::string& node);
  std::string leave_alone(std::string_view node, std::string_view why);

  NameLookup names_;
  std::mutex mutex_;
  std::map<Key, std::string> routes_;  // To where they listen.
  std::set<std::string> left_alone_;   // What was said of it.
};

}  // namespace misrule::proxy
