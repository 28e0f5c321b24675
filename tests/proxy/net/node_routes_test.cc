#include "proxy/net/node_routes.h"

#include <optional>

#include <gtest/gtest.h>

namespace misrule::proxy {
namespace {

struct Bed {
  Bed() {
    origin.service = "cache";
    origin.interface = "main";
    origin.listen = *parse_endpoint("127.0.0.1:6000");
    origin.upstream = *parse_endpoint("127.0.0.1:7000");
  }
  std::string find(std::string_view node) {
    const auto open = [this](const Listener& wanted) -> Result<Endpoint> {
      ++opened;
      upstream = endpoint_text(wanted.upstream);
      const std::string listen = endpoint_text(wanted.listen);
      return parse_endpoint(listen.substr(0, listen.rfind(':')) + ":600" + std::to_string(opened));
    };
    return routes.find({.listener = origin, .met_at = met_at}, node, open);
  }
  NodeRoutes routes{[](const std::string& name) {
    return name == "node-1.test" ? std::optional<std::string>("127.0.0.3") : std::nullopt;
  }};
  Endpoint met_at = {};
  Listener origin;
  int opened = 0;
  std::string upstream;
};

TEST(NodeRoutes, EachServerHasOneListener) {
  Bed bed;
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "127.0.0.1:6001");
  EXPECT_EQ(bed.upstream, "127.0.0.1:7001");
  EXPECT_EQ(bed.find("127.0.0.2:7001"), "127.0.0.1:6002");
  EXPECT_EQ(bed.find(":7001"), "127.0.0.1:6001");
  EXPECT_EQ(bed.find("::1:7001"), "127.0.0.1:6003");
  EXPECT_EQ(bed.upstream, "[::1]:7001");
  EXPECT_EQ(bed.opened, 3);
}

TEST(NodeRoutes, TheServerItselfIsMetWhereItIsAlready) {
  Bed bed;
  EXPECT_EQ(bed.find("127.0.0.1:7000"), "127.0.0.1:6000");
  EXPECT_EQ(bed.find(":7000"), "127.0.0.1:6000");
  EXPECT_EQ(bed.opened, 0);
}

TEST(NodeRoutes, AClientOfAllAddressesIsToldTheOneThatItKnows) {
  Bed bed;
  bed.origin.listen = *parse_endpoint("0.0.0.0:6000");
  bed.met_at = *parse_endpoint("127.0.0.9:6000");
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "127.0.0.9:6001");
  EXPECT_EQ(bed.find("127.0.0.1:7000"), "127.0.0.9:6000");
  bed.met_at = *parse_endpoint("127.0.0.8:6000");
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "127.0.0.8:6001");
  EXPECT_EQ(bed.opened, 1);
  Bed six;
  six.origin.listen = *parse_endpoint("[::]:6000");
  six.met_at = *parse_endpoint("[::1]:6000");
  EXPECT_EQ(six.find("127.0.0.1:7001"), "::1:6001");
  six.met_at = *parse_endpoint("[::ffff:127.0.0.9]:6000");
  EXPECT_EQ(six.find("127.0.0.1:7001"), "127.0.0.9:6001");
}

TEST(NodeRoutes, OfTwoPortsTheOneThatIsSpokenWithServers) {
  Bed bed;
  EXPECT_EQ(bed.find("tls:127.0.0.1:7101"), "");
  EXPECT_EQ(bed.find("plain:127.0.0.1:7001"), "127.0.0.1:6001");
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "127.0.0.1:6001");
  Bed secret;
  secret.origin.upstream_tls.emplace();
  EXPECT_EQ(secret.find("plain:127.0.0.1:7001"), "");
  EXPECT_EQ(secret.find("tls:127.0.0.1:7101"), "127.0.0.1:6001");
  EXPECT_EQ(secret.upstream, "127.0.0.1:7101");
}

TEST(NodeRoutes, NamesAreLookedUp) {
  Bed bed;
  EXPECT_EQ(bed.find("node-1.test:7001"), "127.0.0.1:6001");
  EXPECT_EQ(bed.upstream, "127.0.0.3:7001");
  EXPECT_EQ(bed.find("127.0.0.3:7001"), "127.0.0.1:6001");
  EXPECT_EQ(bed.find("node-2.test:7001"), "");
}

TEST(NodeRoutes, WhatCannotBeToldIsLeftAlone) {
  Bed bed;
  EXPECT_EQ(bed.find("some.name:7001"), "");
  EXPECT_EQ(bed.find("nonsense"), "");
  bed.origin.listen = *parse_endpoint("unix:/tmp/listener.sock");
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "");
  bed.origin.listen = *parse_endpoint("127.0.0.1:6000");
  bed.origin.upstream = *parse_endpoint("unix:/tmp/server.sock");
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "");
  Bed tested;
  tested.origin.consumer = "api";
  EXPECT_EQ(tested.find("127.0.0.1:7001"), "");
  EXPECT_EQ(bed.opened + tested.opened, 0);
}

}  // namespace
}  // namespace misrule::proxy
