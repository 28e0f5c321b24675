#include "base/nearest.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace misrule {
namespace {

const std::vector<std::string_view> kNames = {"api", "db", "postgres", "serialization_failure"};

TEST(Nearest, FewEditsAreMeant) {
  EXPECT_EQ(nearest_name("postgre", kNames), "postgres");
  EXPECT_EQ(nearest_name("serialisation_failure", kNames), "serialization_failure");
  EXPECT_EQ(nearest_name("something else", kNames), "");
  EXPECT_EQ(did_you_mean("Postgers", kNames), " (did you mean postgres?)");
}

TEST(Nearest, ShortNamesHaveOneEdit) {
  EXPECT_EQ(nearest_name("ap", kNames), "api");
  EXPECT_EQ(nearest_name("dbb", kNames), "db");
  EXPECT_EQ(nearest_name("bd", kNames), "db");
  EXPECT_EQ(nearest_name("xy", kNames), "");
  EXPECT_EQ(nearest_name("d", kNames), "") << "of one letter nothing would be left";
}

}  // namespace
}  // namespace misrule
