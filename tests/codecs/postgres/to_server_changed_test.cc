// What the server gets, and the client hears, where a rule makes a reply up, changes it or has it
// twice. The server's lines are what PostgreSQL 15 says there.

#include <gmock/gmock.h>

#include "codecs/postgres/replies.h"
#include "codecs/postgres/rows.h"
#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using wire::complete;
using wire::error;
using wire::message;
using wire::query;
using wire::ready;
using wire::row;
using wire::sync;

Verb planned(Verb::Kind kind, ReplyPlan plan = {}) {
  return {.kind = kind,
          .seed = 5,
          .plan = std::make_shared<const ReplyPlan>(std::move(plan)),
          .tag = 7};
}

Verb late(std::uint64_t rows) {
  Verb verb = poison();
  verb.after_rows = rows;
  return verb;
}

const std::string kServersError = error("42703", "column \"misrule_fault_7\" does not exist");
const ReplyPlan kInserted{.tag = "INSERT 0 1"};

TEST(MadeUpReply, OfAQueryHasTheServersColumnsAndState) {
  Rig rig(on_subject("select", planned(Verb::Kind::kRespond,
                                       {.columns = {"a"}, .rows = {{Value{std::string("x")}}}})));
  EXPECT_EQ(rig.client(query("select a from t")), "P(_misrule: select a from t) D C S");
  const std::string columns = row_description({{.name = "a"}});
  EXPECT_EQ(rig.server(message('1') + message('t', std::string(2, '\0')) + columns + message('3') +
                       ready('T')),
            "T D C(SELECT 1) Z(T)");
  EXPECT_FALSE(rig.host.opaque.has_value());
  EXPECT_EQ(rig.told().back(), "exchanged 1 SELECT 1 did_not");
}

TEST(MadeUpReply, OfAnExecuteComesInItsTurn) {
  Rig rig(on_subject("insert", planned(Verb::Kind::kRespond, kInserted)));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("select 1") + wire::parse_bind_execute("insert") +
                       wire::parse_bind_execute("select 2") + sync()),
            "P(: select 1) B E P(: insert) B P(: select 2) B E S");
  EXPECT_EQ(rig.server(message('1') + message('2') + complete("SELECT 1") + message('1') +
                       message('2') + message('1') + message('2') + complete("SELECT 1") + ready()),
            "1 2 C(SELECT 1) 1 2 C(INSERT 0 1) 1 2 C(SELECT 1) Z(I)");
}

TEST(MadeUpReply, IsToldAtOnceWhereNothingIsOwed) {
  Rig rig(on_subject("insert", planned(Verb::Kind::kRespond, kInserted)));
  rig.client(wire::parse("s", "insert") + wire::bind("", "s") + wire::flush());
  rig.server(message('1') + message('2'));
  EXPECT_EQ(rig.client(wire::execute()), "");
  EXPECT_EQ(rig.at_client(), "C(INSERT 0 1)");
}

TEST(MadeUpReply, GoesWithASegmentThatFailed) {
  Rig rig(on_subject("insert", planned(Verb::Kind::kRespond, kInserted)));
  rig.client(wire::parse_bind_execute("select 1/0") + wire::parse_bind_execute("insert") + sync());
  EXPECT_EQ(rig.server(message('1') + error("22012", "division by zero") + ready()),
            "1 E(ERROR 22012 division by zero) Z(I)");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(MadeUpReply, LeavesWhatStatementsBuildOn) {
  Rig rig([](const Facts&) { return planned(Verb::Kind::kRespond, kInserted); });
  EXPECT_EQ(rig.client(query("begin")), "Q(begin)");
  EXPECT_EQ(rig.client(query("insert into t; select 1")), "Q(insert into t; select 1)");
}

TEST(Duplicate, OfAQueryIsSwallowedButForItsState) {
  Rig rig(on_subject("insert", planned(Verb::Kind::kDuplicate)));
  EXPECT_EQ(rig.client(query("insert x")), "Q(insert x) Q(insert x)");
  EXPECT_EQ(rig.server(complete("INSERT 0 1") + ready('T') + error("23505", "again") + ready('E')),
            "C(INSERT 0 1) Z(E)");
  EXPECT_FALSE(rig.host.opaque.has_value());
}

TEST(Duplicate, OfAnExecuteIsBoundAgain) {
  Rig rig(on_subject("insert", planned(Verb::Kind::kDuplicate)));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("insert") + sync()), "P(: insert) B E B E C S");
  EXPECT_TRUE(rig.pump.to_server().contains(wire::execute("_misrule")));
  EXPECT_EQ(rig.server(message('1') + message('2') + complete("INSERT 0 1") + message('2') +
                       row("1") + complete("INSERT 0 1") + message('3') + ready()),
            "1 2 C(INSERT 0 1) Z(I)");
}

TEST(AfterRows, OfAQueryAreFollowedByAFailure) {
  Rig rig(on_subject("select", late(2)));
  EXPECT_EQ(rig.client(query("select n")), "Q(select n\n;SELECT misrule_fault_7)");
  EXPECT_EQ(rig.server(wire::columns("n") + row("1") + row("2") + row("3") + complete("SELECT 3") +
                       kServersError + ready()),
            "T D D E(ERROR 40001 fault) Z(I)");
}

TEST(AfterRows, OfAnExecuteAreFetchedAlone) {
  Rig rig(on_subject("select", late(2)));
  EXPECT_EQ(rig.client(wire::parse_bind_execute("select n") + sync()),
            "P(: select n) B E P(_misrule: SELECT misrule_fault_7) S");
  EXPECT_TRUE(rig.pump.to_server().contains(wire::execute("", 2)));
  EXPECT_EQ(rig.server(message('1') + message('2') + row("1") + row("2") + message('s') +
                       kServersError + ready()),
            "1 2 D D E(ERROR 40001 fault) Z(I)");
}

TEST(AfterRows, OfACopyFromFailIt) {
  Rig rig(on_subject("copy", late(1)));
  EXPECT_EQ(rig.client(query("copy t from stdin")), "Q(copy t from stdin)");
  rig.server(message('G', std::string(3, '\0')));
  EXPECT_EQ(rig.client(wire::copy_data("1\n") + wire::copy_data("2\n") + wire::copy_data("3\n") +
                       message('c')),
            "d f");
  EXPECT_EQ(rig.server(error("57014", "COPY from stdin failed: misrule_fault_7") + ready()),
            "E(ERROR 40001 fault) Z(I)");
  EXPECT_EQ(rig.client(query("select 1")), "Q(select 1)");
}

TEST(AfterRows, OfACopyFromFailItBeforeTheServerHasAnswered) {
  for (const bool is_binary : {false, true}) {
    const std::string begin = is_binary ? std::string("PGCOPY\n\377\r\n\0", 11) : "0\n";
    Rig rig(on_subject("copy", late(2)));
    EXPECT_EQ(rig.client(query("copy t from stdin") + wire::copy_data(begin) +
                         wire::copy_data("1\n") + wire::copy_data("2\n") + message('c')),
              "Q(copy t from stdin) d d f");
    EXPECT_EQ(rig.server(message('G', std::string(3, '\0')) +
                         error("57014", "COPY from stdin failed: misrule_fault_7") + ready()),
              "G E(ERROR 40001 fault) Z(I)");
    EXPECT_EQ(rig.client(query("select 1")), "Q(select 1)");
    EXPECT_EQ(rig.server(wire::complete("SELECT 1") + ready()), "C(SELECT 1) Z(I)");
  }
}

TEST(AfterRows, OfACopyFromOfFewerRowsFailItAtItsEnd) {
  Rig rig(on_subject("copy", late(2)));
  EXPECT_EQ(rig.client(query("copy t from stdin") + wire::copy_data("1\n") + message('c')),
            "Q(copy t from stdin) d f");
  EXPECT_EQ(rig.server(error("42P01", "no such table") + ready()),
            "E(ERROR 42P01 no such table) Z(I)")
      << "the server refused it by itself, and ignores what was sent of it";
  EXPECT_EQ(rig.client(query("select 1")), "Q(select 1)");
}

}  // namespace
}  // namespace misrule::codecs::postgres
