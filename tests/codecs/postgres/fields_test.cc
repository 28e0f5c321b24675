#include "codecs/postgres/fields.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/codecs/postgres/wire.h"

namespace misrule::codecs::postgres {
namespace {

TEST(Fields, AreReadFromErrorsAndTags) {
  const std::string bytes = wire::error("40001", "could not serialize", "FATAL");
  const ErrorFields fields = read_error(std::string_view(bytes).substr(5));
  EXPECT_EQ(fields.as_text(), "FATAL 40001: could not serialize");
  EXPECT_TRUE(fields.is_fatal());
  EXPECT_EQ(read_error("").as_text(), " : ");
  EXPECT_EQ(rows_of_tag("SELECT 3"), 3);
  EXPECT_EQ(rows_of_tag("INSERT 0 2"), 2);
  EXPECT_EQ(rows_of_tag("CREATE TABLE"), -1);
  EXPECT_EQ(rows_of_tag("SELECT 99999999999999999999"), -1);
}

TEST(Fields, NamesAreReadAsFarAsTheyAreThere) {
  const auto texts = read_two_texts(std::string_view("name\0select", 11));
  ASSERT_TRUE(texts.has_value());
  EXPECT_EQ(texts->first, "name");
  EXPECT_EQ(texts->second, "select") << "cut off by the end of the head";
  EXPECT_FALSE(read_two_texts("no end").has_value());
  const auto target = read_target(std::string_view("Pportal\0", 8));
  ASSERT_TRUE(target.has_value());
  EXPECT_TRUE(target->is_portal);
  EXPECT_EQ(target->name, "portal");
  EXPECT_FALSE(read_target("").has_value());
  EXPECT_FALSE(read_target("Xname").has_value());
}

}  // namespace
}  // namespace misrule::codecs::postgres
