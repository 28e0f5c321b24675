#include "codecs/postgres/made_up.h"

#include <gtest/gtest.h>

#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres {
namespace {

Owed execute_of(ReplyPlan plan, NamedPtr portal) {
  Owed owed{.kind = Owed::Kind::kExecute, .named = std::move(portal)};
  owed.units.push_back(
      {.plan = std::make_shared<ReplyPlan>(std::move(plan)), .made_up_tag = "SELECT 1"});
  return owed;
}

NamedPtr portal_of(const Columns& columns, std::string bound) {
  auto prepared = std::make_shared<Named>();
  prepared->is_described = true;
  if (!columns.empty()) prepared->columns = row_description(columns).substr(5);
  return std::make_shared<Named>(Named{.prepared = std::move(prepared), .bound = std::move(bound)});
}

const std::string kAllBinary("\0\0\0\0\0\1\0\1", 8);
const ReplyPlan kOne{.columns = {"n"}, .rows = {{Value{std::int64_t{7}}}}};

TEST(MadeUp, InTheFormatsThatWereBound) {
  const auto reply =
      made_up_reply(execute_of(kOne, portal_of({{.name = "n", .type = kInt4}}, kAllBinary)));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(*reply,
            std::string("D\0\0\0\x0e\0\1\0\0\0\4\0\0\0\7", 15) + command_complete("SELECT 1"));
}

TEST(MadeUp, WhatIsNotKnownIsAnError) {
  EXPECT_FALSE(made_up_reply(execute_of(kOne, nullptr)).has_value());
  EXPECT_FALSE(made_up_reply(execute_of(kOne, portal_of({}, kAllBinary))).has_value());
  EXPECT_FALSE(made_up_reply(execute_of(kOne, portal_of({{.name = "n"}}, ""))).has_value());
  const NamedPtr undescribed =
      std::make_shared<Named>(Named{.prepared = std::make_shared<Named>()});
  EXPECT_FALSE(made_up_reply(execute_of(kOne, undescribed)).has_value());
  EXPECT_TRUE(made_up_reply(execute_of({}, undescribed)).has_value()) << "a tag needs no columns";
}

TEST(MadeUp, AQueryHasColumnsThatCanHoldTheRows) {
  Owed owed = execute_of(kOne, portal_of({{.name = "other"}}, ""));
  owed.kind = Owed::Kind::kQuery;
  const auto reply = made_up_reply(owed);
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(reply->starts_with(row_description({{.name = "n", .type = kInt8}})));
}

}  // namespace
}  // namespace misrule::codecs::postgres
