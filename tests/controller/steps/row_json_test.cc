#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

std::string value(unsigned oid, std::string_view text) {
  std::string out;
  append_value_json(out, oid, text);
  return out;
}

TEST(RowJson, DecodesByType) {
  EXPECT_EQ(value(16, "t"), "true");
  EXPECT_EQ(value(16, "f"), "false");
  EXPECT_EQ(value(20, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(value(1700, "10.50"), "10.50");
  EXPECT_EQ(value(701, "1e+20"), "1e+20");
  EXPECT_EQ(value(114, "{\"a\": 1}"), "{\"a\": 1}");
  EXPECT_EQ(value(25, "10.50"), "\"10.50\"");
  EXPECT_EQ(value(25, "a\"\n"), "\"a\\\"\\n\"");
}

TEST(RowJson, WhatIsNoJsonNumberIsText) {
  EXPECT_EQ(value(701, "NaN"), "\"NaN\"");
  EXPECT_EQ(value(1700, "-Infinity"), "\"-Infinity\"");
}

TEST(RowJson, NamesAreUnique) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(unique_names({"a", "b"}), (Names{"a", "b"}));
  EXPECT_EQ(unique_names({"n", "n", "n"}), (Names{"n", "n_2", "n_3"}));
  EXPECT_EQ(unique_names({"n", "n", "n_2"}), (Names{"n", "n_3", "n_2"}));
}

}  // namespace
}  // namespace misrule::controller
