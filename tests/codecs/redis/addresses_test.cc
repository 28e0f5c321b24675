#include "codecs/redis/addresses.h"

#include <gtest/gtest.h>

#include "tests/codecs/redis/rig.h"

namespace misrule::codecs::redis {
namespace {

// Every port is one higher at home.
std::string at_home(std::string_view node) {
  const std::size_t colon = node.rfind(':');
  if (node.substr(0, colon) == "10.9.9.9") return {};
  return "127.0.0.1:" + std::to_string(std::stoi(std::string(node.substr(colon + 1))) + 1);
}

TEST(RedisAddresses, RedirectionsLeadHome) {
  EXPECT_EQ(readdressed_error("MOVED 3999 10.0.0.1:6381", at_home), "MOVED 3999 127.0.0.1:6382");
  EXPECT_EQ(readdressed_error("ASK 3999 :6381", at_home), "ASK 3999 127.0.0.1:6382");
  EXPECT_EQ(readdressed_error("ASK 3999 10.9.9.9:6381", at_home), "");
  EXPECT_EQ(readdressed_error("ERR no", at_home), "");
  EXPECT_TRUE(is_redirection("MOVED 1 a:1"));
  EXPECT_FALSE(is_redirection("MOVEDX"));
}

TEST(RedisAddresses, InSlots) {
  const std::string slots = "*1\r\n*3\r\n:0\r\n:5460\r\n*4\r\n";
  const std::string rest = ":7001\r\n" + bulk("id") + "*0\r\n";
  const std::string home = slots + bulk("127.0.0.1") + ":7002\r\n" + bulk("id") + "*0\r\n";
  EXPECT_EQ(readdressed(slots + bulk("10.0.0.1") + rest, AddressForm::kSlots, at_home), home);
  EXPECT_EQ(readdressed(slots + "$-1\r\n" + rest, AddressForm::kSlots, at_home), home);
  EXPECT_EQ(readdressed(slots + "_\r\n" + rest, AddressForm::kSlots, at_home), home);
  EXPECT_EQ(readdressed(slots + bulk("10.9.9.9") + rest, AddressForm::kSlots, at_home), "");
  EXPECT_EQ(readdressed("*0\r\n", AddressForm::kSlots, at_home), "");
}

TEST(RedisAddresses, InFields) {
  const auto node = [](const std::string& host, int port) {
    return "%4\r\n" + bulk("id") + bulk("x") + bulk("port") + fmt::format(":{}\r\n", port) +
           bulk("ip") + bulk(host) + bulk("endpoint") + bulk(host);
  };
  EXPECT_EQ(readdressed("*2\r\n" + node("10.0.0.1", 7001) + node("10.0.0.2", 7002),
                        AddressForm::kFields, at_home),
            "*2\r\n" + node("127.0.0.1", 7002) + node("127.0.0.1", 7003));
  const auto master = [](const std::string& host, const std::string& port) {
    return "*6\r\n" + bulk("name") + bulk("m") + bulk("ip") + bulk(host) + bulk("port") +
           bulk(port);
  };
  EXPECT_EQ(readdressed("*1\r\n" + master("10.0.0.1", "7001"), AddressForm::kFields, at_home),
            "*1\r\n" + master("127.0.0.1", "7002"));
}

TEST(RedisAddresses, OfTwoPortsBothLeadToOneProxy) {
  const auto node = [](int port, int tls_port) {
    return "*6\r\n" + bulk("port") + fmt::format(":{}\r\n", port) + bulk("tls-port") +
           fmt::format(":{}\r\n", tls_port) + bulk("ip") + bulk("127.0.0.1");
  };
  for (const std::string kind : {"plain:", "tls:"}) {
    const auto route = [&](std::string_view asked) {
      return asked.starts_with(kind) ? at_home(asked.substr(kind.size())) : std::string();
    };
    const int home = kind == "tls:" ? 8002 : 7002;
    EXPECT_EQ(readdressed(node(7001, 8001), AddressForm::kFields, route), node(home, home));
  }
  const auto none = [](std::string_view) { return std::string(); };
  EXPECT_EQ(readdressed(node(7001, 8001), AddressForm::kFields, none), "");
  const std::string one =
      "*4\r\n" + bulk("tls-port") + ":8001\r\n" + bulk("ip") + bulk("127.0.0.1");
  EXPECT_EQ(readdressed(one, AddressForm::kFields, at_home),
            "*4\r\n" + bulk("tls-port") + ":8002\r\n" + bulk("ip") + bulk("127.0.0.1"));
}

TEST(RedisAddresses, InLinesAndPairs) {
  const auto lines = [](const std::string& one, const std::string& two) {
    return "a " + one + "@17001 myself,master - 0 0 1 connected 0-5460\nb " + two +
           "@17002,host.name slave a 0 0 1 connected\nc :0@0 master,noaddr\n";
  };
  const std::string far = lines("10.0.0.1:7001", ":7002");
  const std::string home = lines("127.0.0.1:7002", "127.0.0.1:7003");
  EXPECT_EQ(readdressed(bulk(far), AddressForm::kLines, at_home), bulk(home));
  EXPECT_EQ(readdressed(fmt::format("={}\r\ntxt:{}\r\n", far.size() + 4, far), AddressForm::kLines,
                        at_home),
            fmt::format("={}\r\ntxt:{}\r\n", home.size() + 4, home));
  EXPECT_EQ(readdressed("*2\r\n" + bulk("10.0.0.1") + bulk("7001"), AddressForm::kPair, at_home),
            "*2\r\n" + bulk("127.0.0.1") + bulk("7002"));
  EXPECT_EQ(readdressed("*-1\r\n", AddressForm::kPair, at_home), "");
}

TEST(RedisAddresses, AreKnownByTheCommand) {
  EXPECT_EQ(address_form_of("CLUSTER SLOTS"), AddressForm::kSlots);
  EXPECT_EQ(address_form_of("GET"), std::nullopt);
}

}  // namespace
}  // namespace misrule::codecs::redis
