#include "codecs/postgres/parse_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/postgres/sql.h"

namespace misrule::codecs::postgres {
namespace {

StatementShape shape(const std::string& sql) { return parse_statement(sql, normal_form(sql)); }

TEST(ParseTree, Kinds) {
  const std::pair<const char*, const char*> cases[] = {
      {"select 1", "SELECT"},
      {"(select 1)", "SELECT"},
      {"values (1)", "SELECT"},
      {"with x as (select 1) insert into t select * from x", "INSERT"},
      {"/* a */ UPDATE t SET a = 1", "UPDATE"},
      {"create or replace temp view v as select 1", "CREATE VIEW"},
      {"create unlogged table t (a int)", "CREATE TABLE"},
      {"create unique index on t (a)", "CREATE INDEX"},
      {"drop materialized view v", "DROP MATERIALIZED VIEW"},
      {"alter table t add b int", "ALTER TABLE"},
      {"begin", "BEGIN"},
      {"truncate t", "TRUNCATE"},
      {"copy t from stdin", "COPY"},
  };
  for (const auto& [sql, kind] : cases) EXPECT_EQ(shape(sql).kind, kind) << sql;
}

TEST(ParseTree, TablesSchemasColumns) {
  using ::testing::IsEmpty;
  using ::testing::UnorderedElementsAre;
  const StatementShape read = shape(
      "with c as (select 1) select o.id, p.city as town from shop.orders o join people p "
      "on p.id = o.owner, c where exists (select 1 from stock)");
  EXPECT_THAT(read.tables, UnorderedElementsAre("shop.orders", "people", "stock"));
  EXPECT_THAT(read.schemas, UnorderedElementsAre("shop"));
  EXPECT_THAT(read.columns, UnorderedElementsAre("id", "city", "owner"));
  const StatementShape write =
      shape("insert into t (a, b) values (1, $1) on conflict (a) do update set c = 2");
  EXPECT_THAT(write.tables, UnorderedElementsAre("t"));
  EXPECT_THAT(write.columns, UnorderedElementsAre("a", "b", "c"));
  EXPECT_THAT(shape("drop table x, shop.y").tables, UnorderedElementsAre("x", "shop.y"));
  EXPECT_THAT(shape("truncate a, b").tables, UnorderedElementsAre("a", "b"));
  EXPECT_THAT(shape("copy t (a) to stdout").columns, UnorderedElementsAre("a"));
  EXPECT_THAT(shape("select 'from t'").tables, IsEmpty());
}

TEST(ParseTree, WhatTheParserRefuses) {
  EXPECT_FALSE(shape("selec 1").parsed);
  EXPECT_FALSE(shape("").parsed);
  EXPECT_FALSE(shape(std::string("select 1\0", 9)).parsed);
  EXPECT_FALSE(shape("select " + std::string(20'000, '(')).parsed);
  const std::string deep = "select " + std::string(2'000, '(') + "1" + std::string(2'000, ')');
  static_cast<void>(shape(deep));
}

TEST(ParseTree, EachTextIsParsedOnce) {
  const std::size_t before = statements_parsed();
  const ShapePtr first = shape_of("select 1 from once", "select 1 from once");
  EXPECT_EQ(shape_of("select 1 from once", "select 1 from once"), first);
  EXPECT_EQ(statements_parsed(), before + 1);
}

TEST(ParseTree, WhatIsRememberedIsBounded) {
  const ShapePtr first = shape_of("select 1 from first", "select 1 from first");
  const std::string padding(40'000, ' ');
  for (int i = 0; i < 200; ++i) {
    const std::string sql = "select " + std::to_string(i) + padding;
    shape_of(sql, sql);
  }
  EXPECT_NE(shape_of("select 1 from first", "select 1 from first"), first);
}

}  // namespace
}  // namespace misrule::codecs::postgres
