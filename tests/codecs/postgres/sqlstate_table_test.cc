#include "codecs/postgres/sqlstate_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

TEST(SqlConditions, AreWellFormedAndTellEachOtherApart) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const SqlCondition& condition : sql_conditions()) {
    EXPECT_TRUE(is_sqlstate(condition.code)) << condition.code;
    EXPECT_TRUE(std::ranges::all_of(condition.name, [](char c) {
      return (c >= 'a' && c <= 'z') || c == '_';
    })) << condition.name;
    EXPECT_TRUE(seen.emplace(condition.code, condition.name).second) << condition.name;
  }
}

// The names that protocols of other kinds of servers, and rules, are most likely to mean.
TEST(SqlConditions, HoldTheOnesThatApplicationsHandle) {
  for (const auto& [code, name] :
       std::initializer_list<SqlCondition>{{"08006", "connection_failure"},
                                           {"0A000", "feature_not_supported"},
                                           {"22012", "division_by_zero"},
                                           {"23502", "not_null_violation"},
                                           {"23503", "foreign_key_violation"},
                                           {"23505", "unique_violation"},
                                           {"23514", "check_violation"},
                                           {"25006", "read_only_sql_transaction"},
                                           {"25P03", "idle_in_transaction_session_timeout"},
                                           {"28P01", "invalid_password"},
                                           {"40001", "serialization_failure"},
                                           {"40P01", "deadlock_detected"},
                                           {"42501", "insufficient_privilege"},
                                           {"42P01", "undefined_table"},
                                           {"53100", "disk_full"},
                                           {"53200", "out_of_memory"},
                                           {"53300", "too_many_connections"},
                                           {"55P03", "lock_not_available"},
                                           {"57014", "query_canceled"},
                                           {"57P01", "admin_shutdown"},
                                           {"57P02", "crash_shutdown"},
                                           {"57P03", "cannot_connect_now"},
                                           {"XX000", "internal_error"},
                                           {"XX001", "data_corrupted"}}) {
    EXPECT_TRUE(std::ranges::any_of(sql_conditions(), [&](const SqlCondition& condition) {
      return condition.code == code && condition.name == name;
    })) << name;
  }
}

}  // namespace
}  // namespace misrule::codecs::postgres
