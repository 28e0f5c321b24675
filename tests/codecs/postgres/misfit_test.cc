#include "codecs/postgres/misfit.h"

#include <gtest/gtest.h>

namespace misrule::codecs::postgres {
namespace {

std::string why(Unit::Fate fate, std::string normal, bool failed = false) {
  Unit unit{.fate = fate, .kind = kind_of(normal), .plan = std::make_shared<ReplyPlan>()};
  return std::string(misfit(unit, {.normal = std::move(normal)}, failed));
}

TEST(Misfit, WhatLaterStatementsBuildOn) {
  for (const auto fate : {Unit::Fate::kRespond, Unit::Fate::kDuplicate}) {
    for (const char* sql :
         {"begin", "commit", "rollback", "savepoint s", "set a = 1", "copy t to stdout",
          "prepare a as select 1", "declare c cursor for select 1"}) {
      EXPECT_NE(why(fate, sql), "") << sql;
    }
    EXPECT_EQ(why(fate, "insert into t values (1)"), "");
    EXPECT_EQ(why(fate, "execute a"), "");
    EXPECT_NE(why(fate, "select 1", true), "") << "in a failed transaction";
  }
  EXPECT_EQ(why(Unit::Fate::kRewrite, "select 1"), "");
  EXPECT_NE(why(Unit::Fate::kRewrite, "copy t to stdout"), "");
  EXPECT_EQ(why(Unit::Fate::kLose, "commit"), "");
}

TEST(Misfit, TagsOfMadeUpSuccesses) {
  const ReplyPlan two{.rows = {{}, {}}};
  EXPECT_EQ(made_up_tag({.tag = "MERGE 3"}, {.normal = "select 1"}), "MERGE 3");
  EXPECT_EQ(made_up_tag(two, {.normal = "select 1"}), "SELECT 2");
  EXPECT_EQ(made_up_tag(two, {.normal = "insert into t"}), "INSERT 0 2");
  EXPECT_EQ(made_up_tag({}, {.normal = "delete from t"}), "DELETE 0");
  const std::string with = "with x as (select 1) update t set a = 1";
  EXPECT_EQ(made_up_tag(two, {.raw = with, .normal = with}), "UPDATE 2");
}

}  // namespace
}  // namespace misrule::codecs::postgres
