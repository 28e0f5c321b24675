// What interface(tls = ...) makes, and what it refuses.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

class InterfaceTls : public SpecTest {
 protected:
  /// Of the one interface with this tls=.
  const model::Interface& declared(const std::string& tls) {
    const Spec& spec =
        load_whole("service(\"db\", interface(\"main\", \"postgres\", 5432, tls = " + tls +
                   "), binary = \"b\")\n");
    return spec.topology().services.at(0).interfaces.at(0);
  }

  std::string refused(const std::string& tls) {
    return only_problem("interface(\"a\", \"tcp\", 1, tls = " + tls + ")\n");
  }
};

TEST_F(InterfaceTls, TrueIsOfClientsAlone) {
  EXPECT_FALSE(declared("False").tls.has_value());
  const model::Interface& interface = declared("True");
  ASSERT_TRUE(interface.tls.has_value());
  EXPECT_EQ(interface.tls->cert, "");
  EXPECT_FALSE(interface.upstream_tls.has_value());
}

TEST_F(InterfaceTls, FilesAreInTheSpecsFolder) {
  write_file("own.pem", "");
  write_file("own.key", "");
  const model::Interface& interface = declared("{\"cert\": \"own.pem\", \"key\": \"own.key\"}");
  ASSERT_TRUE(interface.tls.has_value());
  EXPECT_EQ(interface.tls->cert, folder_ + "/own.pem");
  EXPECT_EQ(interface.tls->key, folder_ + "/own.key");
}

TEST_F(InterfaceTls, TheServersSideIsItsUpstream) {
  using Verify = model::ServerTls::Verify;
  const model::Interface& plain = declared("{\"upstream\": True}");
  EXPECT_TRUE(plain.tls.has_value());
  ASSERT_TRUE(plain.upstream_tls.has_value());
  EXPECT_EQ(plain.upstream_tls->verify, Verify::kByPlace);
  write_file("ca.pem", "");
  const model::Interface& interface = declared(
      "{\"client\": False, "
      "\"upstream\": {\"ca\": \"ca.pem\", \"verify\": \"chain\", \"server_name\": \"db\"}}");
  EXPECT_FALSE(interface.tls.has_value());
  ASSERT_TRUE(interface.upstream_tls.has_value());
  EXPECT_EQ(interface.upstream_tls->ca, folder_ + "/ca.pem");
  EXPECT_EQ(interface.upstream_tls->verify, Verify::kChain);
  EXPECT_EQ(interface.upstream_tls->server_name, "db");
}

constexpr std::pair<const char*, const char*> kMistakes[] = {
    {"\"yes\"", "3:32-37 interface: tls: got string, want True or a dict"},
    {"{\"crt\": \"x\"}",
     "3:32-44 interface: tls: unknown key \"crt\" (did you mean cert?) [it takes cert, key, "
     "client, upstream]"},
    {"{\"cert\": 1}", "3:32-43 interface: tls: cert: got int, want a string"},
    {"{\"upstream\": \"x\"}", "3:32-49 interface: tls: upstream: got string, want True or a dict"},
    {"{\"client\": \"no\"}", "3:32-48 interface: tls: client: got string, want True or False"},
    {"{\"upstream\": {\"verify\": \"half\"}}",
     "3:32-64 interface: tls: verify: unknown \"half\" [one of \"none\", \"chain\", \"full\"]"},
};

TEST_F(InterfaceTls, MistakesAreShownWhereTheyStand) {
  for (const auto& [tls, problem] : kMistakes) EXPECT_EQ(refused(tls), problem) << tls;
}

TEST_F(InterfaceTls, ACertificateNeedsItsKeyAndBothMustBeThere) {
  write_file("own.pem", "");
  EXPECT_EQ(refused("{\"cert\": \"own.pem\"}"),
            "3:32-51 interface: tls: a certificate and its key come together");
  EXPECT_EQ(refused("{\"upstream\": {\"key\": \"no.key\"}}"),
            "3:32-63 interface: tls: key: \"no.key\": there is no such file [paths are relative "
            "to the spec's folder, " +
                folder_ + "]");
}

}  // namespace
}  // namespace misrule::dsl
