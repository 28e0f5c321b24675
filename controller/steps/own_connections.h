#pragma once

// Which connections does this process make to servers directly, not through a proxy? Probes, seeds
// and observers do: no rule of the interceptor is about them.

#include <cstdint>
#include <mutex>
#include <vector>

namespace misrule::controller {

/// One end's view: `client` is the port on our side.
struct PortPair {
  std::uint16_t client = 0;
  std::uint16_t server = 0;
  bool operator==(const PortPair&) const = default;
};

/// Thread-safe. Bounded: of closed connections the latest are remembered, because a server goes on
/// reading and writing for a while.
class OwnConnections {
 public:
  static OwnConnections& of_this_process();

  /// Held over connect(): the server cannot be asked about before the connection is known.
  class Opening {
   public:
    explicit Opening(OwnConnections& connections);
    /// `socket` connects to `server_port`, or is connected; -1 and refused ones are ignored.
    void started(int socket, std::uint16_t server_port);

   private:
    OwnConnections& connections_;
    std::unique_lock<std::mutex> lock_;
  };

  /// Whether a server's connection is one of ours. `open`: our end has not closed, as its server
  /// sees it.
  bool contains(PortPair ports, bool open);

 private:
  static constexpr std::size_t kKnownMax = 128;

  struct Known {
    PortPair ports = {};
    int socket = -1;
    std::uint64_t cookie = 0;  ///< The kernel's name of the socket, never used again.
  };
  static bool is_open(const Known& known);
  void make_room();

  std::mutex mutex_ = {};
  std::vector<Known> known_ = {};  ///< Oldest first.
};

}  // namespace misrule::controller
