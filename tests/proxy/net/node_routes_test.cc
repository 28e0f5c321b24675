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
    return routes.find(origin, node, [this](const Listener& wanted) -> Result<Endpoint> {
      ++opened;
      upstream = endpoint_text(wanted.upstream);
      return parse_endpoint("127.0.0.1:600" + std::to_string(opened));
    });
  }
  NodeRoutes routes;
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

TEST(NodeRoutes, WhatCannotBeToldIsLeftAlone) {
  Bed bed;
  EXPECT_EQ(bed.find("some.name:7001"), "");
  EXPECT_EQ(bed.find("nonsense"), "");
  bed.origin.listen = *parse_endpoint("0.0.0.0:6000");
  EXPECT_EQ(bed.find("127.0.0.1:7001"), "");
  Bed tested;
  tested.origin.consumer = "api";
  EXPECT_EQ(tested.find("127.0.0.1:7001"), "");
  EXPECT_EQ(bed.opened + tested.opened, 0);
}

}  // namespace
}  // namespace misrule::proxy
