#include "codecs/http/json_path.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

TEST(JsonPath, isReadStepByStep) {
  const auto path = parse_json_path("$.items[10]['a key'].x[*].*");
  ASSERT_TRUE(path.has_value());
  ASSERT_EQ(path->size(), 6U);
  EXPECT_EQ((*path)[0].key, "items");
  EXPECT_EQ((*path)[1].index, 10U);
  EXPECT_EQ((*path)[2].key, "a key");
  EXPECT_EQ((*path)[4].kind, JsonStep::Kind::kAll);
  EXPECT_EQ((*path)[5].kind, JsonStep::Kind::kAll);
  EXPECT_TRUE(parse_json_path("$")->empty());
}

TEST(JsonPath, everythingElseIsRefused) {
  for (const auto* text : {"", "items", "$items", "$.", "$..a", "$[", "$[a]", "$[1", "$['a",
                           "$['a'", "$[-1]", "$[99999999999999999999999]"}) {
    EXPECT_FALSE(parse_json_path(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace misrule::codecs::http
