#include "controller/steps/own_connections.h"

#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/unique_fd.h"
#include "controller/steps/steps.h"

namespace misrule::controller {
namespace {

using std::chrono::seconds;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t own_port(int socket) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

class Server {
 public:
  Server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(0);
    ::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_.fd(), 256);
  }
  std::uint16_t port() const { return own_port(listener_.fd()); }

  /// The client's port of the next connection; whose our end stays open.
  std::uint16_t accept_client() {
    sockaddr_in peer = {};
    socklen_t size = sizeof peer;
    accepted_.emplace_back(
        ::accept4(listener_.fd(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    return ntohs(peer.sin_port);
  }

 private:
  UniqueFd listener_;
  std::vector<UniqueFd> accepted_ = {};
};

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MISRULE_CHECK(socket >= 0);
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

UniqueFd open_known(OwnConnections& connections, std::uint16_t port) {
  OwnConnections::Opening opening(connections);
  UniqueFd socket(connect_to(port));
  opening.started(socket.fd(), port);
  return socket;
}

TEST(OwnConnections, KnowsThoseThatWereOpenedAndNoOther) {
  OwnConnections connections;
  Server server;
  const UniqueFd ours = open_known(connections, server.port());
  const std::uint16_t known = server.accept_client();
  const UniqueFd other(connect_to(server.port()));
  EXPECT_TRUE(connections.contains({.client = known, .server = server.port()}, true));
  EXPECT_FALSE(
      connections.contains({.client = server.accept_client(), .server = server.port()}, true));
  EXPECT_FALSE(connections.contains({.client = known, .server = 1}, true));
}

TEST(OwnConnections, AClosedOneIsKnownUntilItsPortsAreAnothers) {
  OwnConnections connections;
  Server server;
  UniqueFd ours = open_known(connections, server.port());
  const PortPair ports = {.client = server.accept_client(), .server = server.port()};
  ours.reset();
  EXPECT_TRUE(connections.contains(ports, false)) << "its server has read the end";
  EXPECT_FALSE(connections.contains(ports, true)) << "a connection that is open is not ours";
  EXPECT_FALSE(connections.contains(ports, false)) << "and is not ours later";
}

TEST(OwnConnections, ARefusedOneLeavesNothing) {
  OwnConnections connections;
  const std::uint16_t nobody = Server().port();
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_GE(socket.fd(), 0);
  const sockaddr_in address = loopback(nobody);
  std::uint16_t client = 0;
  {
    OwnConnections::Opening opening(connections);
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    ASSERT_NE(::connect(socket.fd(), to, sizeof address), 0);
    client = own_port(socket.fd());
    opening.started(socket.fd(), nobody);
    opening.started(-1, nobody);
  }
  EXPECT_FALSE(connections.contains({.client = client, .server = nobody}, false));
}

TEST(OwnConnections, ManyClosedOnesDoNotHideAnOpenOne) {
  OwnConnections connections;
  Server server;
  const UniqueFd kept = open_known(connections, server.port());
  const PortPair ports = {.client = server.accept_client(), .server = server.port()};
  for (int i = 0; i < 300; ++i) {
    open_known(connections, server.port());
    server.accept_client();
  }
  EXPECT_TRUE(connections.contains(ports, true));
}

TEST(OwnConnections, AProbeIsOneAndAStepThroughAProxyIsNot) {
  OwnConnections& connections = OwnConnections::of_this_process();
  Server server;
  for (const bool proxied : {false, true}) {
    const StepTarget target = {.port = server.port(), .proxied = proxied};
    ASSERT_TRUE(probe_tcp(target, seconds(30)));
    const PortPair ports = {.client = server.accept_client(), .server = server.port()};
    EXPECT_EQ(connections.contains(ports, false), !proxied);
  }
}

}  // namespace
}  // namespace misrule::controller
