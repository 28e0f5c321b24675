#include "codecs/postgres/sql.h"

#include <gmock/gmock.h>

#include "base/glob.h"

namespace misrule::codecs::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> pieces(std::string_view sql, Backslash backslash = Backslash::kOrdinary) {
  std::vector<std::string> found;
  for (const Extent& extent : split_statements(sql, backslash)) {
    found.emplace_back(sql.substr(extent.begin, extent.end - extent.begin));
  }
  return found;
}

TEST(NormalForm, FoldsCaseBlanksAndCommentsOutsideQuotes) {
  EXPECT_EQ(normal_form("  INSERT /* a */ INTO\n\tpayments -- b\n VALUES ($1, 'A  B' );  "),
            "insert into payments values ($1, 'A  B' )");
  EXPECT_EQ(normal_form("select/**/1"), "select 1");
  EXPECT_EQ(normal_form("/* a /* nested */ comment */ SELECT 1; -- ping"), "select 1");
  EXPECT_EQ(normal_form("SELECT $tag$ Kept  AS is; $tag$"), "select $tag$ Kept  AS is; $tag$");
  EXPECT_EQ(normal_form("SELECT 'it''s  A', \"Weird  Name\", E'a\\'  B'"),
            "select 'it''s  A', \"Weird  Name\", E'a\\'  B'");
  EXPECT_EQ(normal_form(""), "");
  EXPECT_EQ(normal_form(" ; ; -- nothing"), "");
}

TEST(NormalForm, DropsQuotesThatMeanNothing) {
  EXPECT_EQ(normal_form("INSERT INTO \"payments\" (\"id\") VALUES ($1)"),
            "insert into payments (id) values ($1)");
  EXPECT_EQ(normal_form("SELECT \"Id\", \"a b\", \"1x\", \"\" FROM \"public\".\"t\""),
            "select \"Id\", \"a b\", \"1x\", \"\" from public.t");
}

TEST(NormalForm, EndsWhereTheTextEnds) {
  for (const std::string_view open : {"select 'x", "select \"x", "select /* x", "select $a$ x",
                                      "select E'x\\", "select $", "select $$", "--", "/*"}) {
    EXPECT_LE(normal_form(open).size(), open.size()) << open;
  }
}

TEST(NormalForm, BackslashesEscapeOnlyWhereTheSessionSaysSo) {
  EXPECT_THAT(pieces("select 'a\\'; select 'b'"), ElementsAre("select 'a\\'", "select 'b'"));
  EXPECT_THAT(pieces("select 'a\\'; select 'b'", Backslash::kEscapes),
              ElementsAre("select 'a\\'; select 'b'"));
}

// The pattern of the rule, and what drivers make of the statement.
TEST(NormalForm, OnePatternFitsParametersAndLiterals) {
  const Glob pattern("INSERT INTO payments*", GlobCase::kInsensitive);
  for (const std::string_view sql :
       {"INSERT INTO payments (id) VALUES ($1)", "insert into payments values (1, 'x')",
        "/* app */ INSERT  INTO\n payments(id) VALUES (%s)", "INSERT INTO \"payments\" VALUES (1)",
        "  Insert Into Payments\tSELECT 1 /*traceparent='00-1'*/;"}) {
    EXPECT_TRUE(pattern.matches(normal_form(sql))) << sql;
  }
  EXPECT_FALSE(pattern.matches(normal_form("INSERT INTO refunds SELECT * FROM payments")));
}

TEST(SplitStatements, CutsAtOutermostSemicolons) {
  EXPECT_THAT(pieces("select 1; select 2"), ElementsAre("select 1", "select 2"));
  EXPECT_THAT(pieces(" ;; select 1 ; -- x\n ;"), ElementsAre("select 1"));
  EXPECT_THAT(pieces("/* only; comments */ -- ; "), IsEmpty());
  EXPECT_THAT(pieces("select ';', \";\", $$;$$, $a$;$b$;$a$; select 2"),
              ElementsAre("select ';', \";\", $$;$$, $a$;$b$;$a$", "select 2"));
  EXPECT_THAT(
      pieces("create rule r as on insert to t do (delete from a; delete from b); select 1"),
      ElementsAre("create rule r as on insert to t do (delete from a; delete from b)", "select 1"));
}

TEST(SplitStatements, KeepsBodiesOfFunctionsInSqlTogether) {
  const std::string_view function =
      "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC select 1; "
      "select case when true then 2 end; END";
  EXPECT_THAT(pieces(std::string(function) + "; select 3"), ElementsAre(function, "select 3"));
  EXPECT_THAT(pieces("BEGIN; select 1; END"), ElementsAre("BEGIN", "select 1", "END"));
  EXPECT_THAT(pieces("create table begin_t (a int); select 1"),
              ElementsAre("create table begin_t (a int)", "select 1"));
}

TEST(KindOf, TellsHowTransactionsEnd) {
  using Kind = StatementKind;
  const std::vector<std::pair<std::string_view, Kind>> kinds = {
      {"BEGIN ISOLATION LEVEL SERIALIZABLE", Kind::kBegin},
      {"start transaction", Kind::kBegin},
      {"COMMIT", Kind::kCommit},
      {"commit work and chain", Kind::kCommit},
      {"END TRANSACTION", Kind::kCommit},
      {"COMMIT PREPARED 'x'", Kind::kOther},
      {"PREPARE TRANSACTION 'x'", Kind::kPrepareTransaction},
      {"prepare p as select 1", Kind::kPrepare},
      {"ROLLBACK", Kind::kRollback},
      {"abort", Kind::kRollback},
      {"ROLLBACK TO SAVEPOINT s", Kind::kRollbackTo},
      {"rollback work to s", Kind::kRollbackTo},
      {"ROLLBACK PREPARED 'x'", Kind::kOther},
      {"SET a = 1", Kind::kSet},
      {"select 1", Kind::kOther},
      {"", Kind::kOther},
      {"commitment", Kind::kOther},
  };
  for (const auto& [sql, kind] : kinds) EXPECT_EQ(kind_of(normal_form(sql)), kind) << sql;
}

TEST(ReadPrepare, FindsNameAndStatement) {
  const auto prepare =
      read_prepare("PREPARE \"Pay\"\"1\" (int, text) AS INSERT INTO t VALUES ($1)");
  ASSERT_TRUE(prepare.has_value());
  EXPECT_EQ(prepare->name, "Pay\"1");
  EXPECT_EQ(prepare->statement, "INSERT INTO t VALUES ($1)");
  EXPECT_FALSE(read_prepare("PREPARE p").has_value());
  EXPECT_EQ(read_execute("EXECUTE Pay(1)"), "pay");
  EXPECT_EQ(read_deallocate("DEALLOCATE PREPARE pay"), "pay");
  EXPECT_EQ(read_deallocate("DEALLOCATE ALL"), "");
  EXPECT_EQ(read_deallocate("SELECT 1"), std::nullopt);
}

TEST(Sql, KnowsWhatNeedsNoCloserLook) {
  for (const char* sql :
       {"SELECT 1", "select 1;", "Insert into t values (1) ; \n", "update t set a"}) {
    EXPECT_TRUE(is_plain(sql)) << sql;
  }
  for (const char* sql : {"", "SELECT", "selects 1", "SELECT 1; COMMIT", "SELECT ';'", "BEGIN",
                          " SELECT 1", "/* */ SELECT 1", "SET x = 1", "DELETE\tFROM t"}) {
    EXPECT_FALSE(is_plain(sql)) << sql;
  }
}

}  // namespace
}  // namespace misrule::codecs::postgres
