#include "codecs/postgres/sqlstate.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

std::string_view code_in(std::string_view message) {
  return condition_in_message(message).value_or(SqlCondition{}).code;
}

TEST(FindCondition, ByCodeOrByName) {
  EXPECT_EQ(find_condition("serialization_failure").value().code, "40001");
  EXPECT_EQ(find_condition("40p01").value().name, "deadlock_detected");
  EXPECT_EQ(find_condition("Disk_Full").value().code, "53100");
  EXPECT_FALSE(find_condition("no_such_condition").has_value());
  EXPECT_EQ(find_condition("string_data_right_truncation").value().code, "22001")
      << "the error, not the warning of the same name";
}

TEST(ConditionInMessage, ByNameOrByTheServersWords) {
  EXPECT_EQ(code_in("disk full"), "53100");  // S1-21
  EXPECT_EQ(code_in("could not extend file: No space left on device"), "53100");
  EXPECT_EQ(code_in("ERROR: deadlock detected"), "40P01");
  EXPECT_EQ(code_in("duplicate key value violates unique constraint"), "23505");
  EXPECT_EQ(code_in("unique_violation"), "23505");
  EXPECT_EQ(code_in("canceling statement due to statement timeout"), "57014");
  EXPECT_EQ(code_in("canceling statement due to lock timeout"), "55P03");
  EXPECT_EQ(code_in("sorry, too many clients already"), "53300");
  EXPECT_EQ(code_in("cached plan must not change result type"), "0A000");
  EXPECT_EQ(code_in("something else"), "");
  EXPECT_EQ(code_in("a warning"), "") << "warnings are no errors";
  EXPECT_EQ(code_in("deadlocks"), "") << "whole words only";
}

TEST(Sqlstate, ClassesAndSeverity) {
  EXPECT_TRUE(is_sqlstate("40P01"));
  EXPECT_FALSE(is_sqlstate("40p01"));
  EXPECT_FALSE(is_sqlstate("4000"));
  EXPECT_TRUE(is_error("XX000"));
  EXPECT_FALSE(is_error("01000"));
  EXPECT_TRUE(ends_connection("57P01"));
  EXPECT_FALSE(ends_connection("57014"));
}

}  // namespace
}  // namespace misrule::codecs::postgres
