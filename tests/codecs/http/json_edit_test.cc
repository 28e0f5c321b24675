#include "codecs/http/json_edit.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

TEST(JsonEdit, everythingElseKeepsItsBytes) {
  const std::string_view document =
      "{ \"n\": 19.90, \"big\": 123456789012345678901234567890,\n\"b\":1}";
  EXPECT_EQ(*edit_json(document, {{"$.b", Value{std::string("a\"\n")}}}),
            "{ \"n\": 19.90, \"big\": 123456789012345678901234567890,\n\"b\":\"a\\\"\\u000a\"}");
}

TEST(JsonEdit, severalPlacesInAnyOrder) {
  const ValueMap edits = {{"$[2]", Value{true}}, {"$[0]", Value{}}, {"$[1][*]", Value{0.5}}};
  EXPECT_EQ(*edit_json("[1, [2, 3], 4]", edits), "[null, [0.5, 0.5], true]");
}

TEST(JsonEdit, saysWhyNot) {
  EXPECT_EQ(edit_json("<html>", {{"$.a", Value{}}}).error(), "the body is no JSON document");
  EXPECT_EQ(edit_json("{}", {{"$.a", Value{}}}).error(), "the body has no $.a");
  EXPECT_EQ(edit_json("{\"a\":{\"b\":1}}", {{"$.a", Value{}}, {"$.a.b", Value{}}}).error(),
            "two of the places lie in each other");
}

TEST(JsonEdit, valuesOfEveryKind) {
  const Value value = {ValueMap{{"a", Value{ValueList{Value{}, Value{std::int64_t{-1}}}}},
                                {"b", Value{ValueMap{}}},
                                {"c", Value{1e300}}}};
  EXPECT_EQ(json_text(value), R"({"a":[null,-1],"b":{},"c":1e+300})");
}

}  // namespace
}  // namespace misrule::codecs::http
