// What the client hears where a rule changes a reply, cuts it off, or ends a session that waits.

#include <gmock/gmock.h>

#include "codecs/postgres/replies.h"
#include "codecs/postgres/rows.h"
#include "tests/codecs/postgres/rig.h"

namespace misrule::codecs::postgres {
namespace {

using wire::complete;
using wire::query;
using wire::ready;
using wire::row;

Verb planned(Verb::Kind kind, ReplyPlan plan = {}) {
  return {.kind = kind,
          .seed = 5,
          .plan = std::make_shared<const ReplyPlan>(std::move(plan)),
          .tag = 7};
}

TEST(Moments, OfASessionThatWaits) {
  Rig rig(
      [](const Facts& facts) { return facts.phase == Phase::kIdle ? poison("57P01") : Verb{}; });
  rig.host.wanted_phases = {Phase::kIdle};
  rig.client(query("begin"));
  rig.server(complete("BEGIN") + ready('T'));
  EXPECT_FALSE(rig.pump.closed()) << "not within a transaction";
  rig.client(query("commit"));
  EXPECT_EQ(rig.server(complete("COMMIT") + ready('I')), "C(COMMIT) Z(I) E(FATAL 57P01 fault)");
  EXPECT_TRUE(rig.pump.closed());
}

TEST(Rewritten, RowsOfAQuery) {
  Rig rig(on_subject("select", planned(Verb::Kind::kRewrite, {.edits = {{"a", Value{}}}})));
  rig.client(query("select a"));
  const std::string columns = row_description({{.name = "a"}});
  rig.server(columns + row("old") + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.at_client(), "") << "all was read";
  EXPECT_TRUE(rig.pump.to_client().contains(std::string("D\0\0\0\x0a\0\1\xff\xff\xff\xff", 11)));
}

TEST(CutOff, SoManyBytesPass) {
  Rig rig(on_subject("select", planned(Verb::Kind::kTruncate, {.bytes = 7})));
  rig.client(query("select a"));
  const std::size_t before = rig.pump.to_client().size();
  rig.server(wire::columns("n") + row("1") + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.pump.to_client().size(), before + 7);
  EXPECT_TRUE(rig.pump.closed());
}

}  // namespace
}  // namespace misrule::codecs::postgres
