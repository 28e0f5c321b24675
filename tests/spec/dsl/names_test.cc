// Names of services and interfaces are parts of paths: what would lead elsewhere is refused.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Names = SpecTest;

TEST_F(Names, OfServicesHoldNothingThatAPathUnderstands) {
  for (const char* name :
       {"../../esc", "shop/db", ".hidden", ".", "a b", "a\\n", "\\0", "caf\xC3\xA9"}) {
    const std::string problem =
        only_problem(fmt::format("service(\"{}\", binary = \"b\")\n", name));
    EXPECT_TRUE(problem.starts_with("3:9-")) << problem;
    EXPECT_TRUE(problem.ends_with("holds more than letters, digits, - and _")) << problem;
  }
  EXPECT_EQ(only_problem("service(\"shop/db\", binary = \"b\")\n"),
            "3:9-18 service: the name \"shop/db\" holds more than letters, digits, - and _");
  EXPECT_EQ(only_problem(fmt::format("service(\"{}\", binary = \"b\")\n", std::string(101, 'a'))),
            "3:9-112 service: a name of 101 bytes exceeds 100");
  // The controls.
  load(fmt::format("service(\"{}\", binary = \"b\")\n", std::string(100, 'a')));
  load("service(\"shop-db_2\", interface(\"Main-1_a\", \"tcp\", 1), binary = \"b\")\n");
}

TEST_F(Names, OfInterfacesLikewise) {
  EXPECT_EQ(only_problem("interface(\"a.b\", \"tcp\", 1)\n"),
            "3:11-16 interface: the name \"a.b\" holds more than letters, digits, - and _");
  EXPECT_EQ(only_problem("interface(protocol = \"tcp\", name = \"../x\", port = 1)\n"),
            "3:36-42 interface: the name \"../x\" holds more than letters, digits, - and _");
}

}  // namespace
}  // namespace misrule::dsl
