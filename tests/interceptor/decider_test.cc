// decide/: facts in, verdicts out. No kernel.

#include "interceptor/decide/decider.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "interceptor/decide/compile.h"
#include "interceptor/decide/errnos.h"
#include "interceptor/interceptor.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::interceptor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ServiceId kApi{0};
constexpr ServiceId kDb{1};

model::Topology shop() {
  model::Topology out;
  model::Service api;
  api.name = "api";
  api.interfaces.push_back({.name = "http", .protocol = model::Protocol::kHttp, .port = 8080});
  model::Service db;
  db.name = "db";
  db.interfaces.push_back({.name = "pg", .protocol = model::Protocol::kPostgres, .port = 5432});
  out.services = {api, db};
  return out;
}

model::Rule rule(const std::string& id, const std::string& service, const std::string& family) {
  model::Rule out;
  out.set_id(id);
  out.mutable_target()->set_service(service);
  out.mutable_syscall()->set_family(family);
  out.mutable_deny()->set_error("EIO");
  return out;
}

Result<std::vector<CompiledRule>> compile(const std::vector<model::Rule>& rules) {
  model::RuleSet set;
  for (const model::Rule& one : rules) *set.add_rules() = one;
  return compile_rules(set, shop(), [](const std::string& glob) { return glob; });
}

std::string why_invalid(const model::Rule& wrong) {
  const auto compiled = compile({wrong});
  if (compiled) return "compiled";
  EXPECT_EQ(compiled.error().code, Code::kInvalid);
  return compiled.error().what;
}

Decider armed(const std::vector<model::Rule>& rules, std::uint64_t seed = 1) {
  Decider decider(seed);
  auto compiled = compile(rules);
  EXPECT_TRUE(compiled.has_value());
  if (compiled) decider.replace(*std::move(compiled));
  return decider;
}

CallFacts write_to(FdKind kind, const std::string& path = {}, ServiceId service = kApi) {
  CallFacts out;
  out.service = service;
  out.syscall = "pwrite64";
  out.family = Family::kWrite;
  out.kind = kind;
  out.path = path;
  return out;
}

CallFacts connect_to(const std::string& service, const std::string& interface) {
  CallFacts out;
  out.service = kApi;
  out.syscall = "connect";
  out.family = Family::kConnect;
  out.kind = FdKind::kTcp;
  out.destination = "10.0.0.1:5432";
  out.to_service = service;
  out.to_interface = interface;
  return out;
}

bool denies(Decider& decider, const CallFacts& call) {
  return decider.decide(call).action == Verdict::Action::kDeny;
}

TEST(Families, NamesAreKnownBothWays) {
  EXPECT_THAT(families(), ElementsAre("connect", "read", "write", "fsync", "open"));
  EXPECT_TRUE(is_family("fsync"));
  EXPECT_FALSE(is_family("pwrite64"));
  EXPECT_FALSE(is_family(""));
}

TEST(Families, HaveTheirMembers) {
  std::set<std::string_view> writes;
  for (const SyscallRow& row : syscall_rows()) {
    if (row.family == Family::kWrite) writes.insert(row.name);
  }
  for (const char* name : {"write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile",
                           "copy_file_range", "splice", "vmsplice", "sendto", "sendmsg"}) {
    EXPECT_TRUE(writes.contains(name)) << name;
  }
}

TEST(Errnos, NamesAreTheMachines) {
  EXPECT_EQ(errno_from_name("ENOSPC"), ENOSPC);
  EXPECT_EQ(errno_from_name("ECONNREFUSED"), ECONNREFUSED);
  EXPECT_EQ(errno_from_name("EWOULDBLOCK"), EAGAIN);
  EXPECT_EQ(errno_from_name("ENOSPACE"), 0);
  EXPECT_EQ(errno_from_name(""), 0);
  for (const std::string& name : errno_names()) EXPECT_NE(errno_from_name(name), 0) << name;
}

TEST(Decider, AllowsWithoutRules) {
  Decider decider(1);
  EXPECT_FALSE(decider.interest(kApi, Family::kWrite).any);
  EXPECT_FALSE(decider.decide(write_to(FdKind::kFile, "/data/x")).reported);
}

TEST(Decider, DeniesWhatTheRuleWantsAndOnlyThere) {
  auto wal = rule("wal", "api", "write");
  wal.mutable_syscall()->set_path("*/pg_wal/*");
  Decider decider = armed({wal});
  EXPECT_TRUE(decider.interest(kApi, Family::kWrite).any);
  EXPECT_FALSE(decider.interest(kApi, Family::kRead).any);
  EXPECT_FALSE(decider.interest(kDb, Family::kWrite).any);
  const Verdict verdict = decider.decide(write_to(FdKind::kFile, "/pg/pg_wal/0001"));
  EXPECT_EQ(verdict.action, Verdict::Action::kDeny);
  EXPECT_EQ(verdict.error, EIO);
  EXPECT_EQ(verdict.rule, "wal");
  EXPECT_EQ(verdict.decision, "deny(EIO)");
  EXPECT_FALSE(denies(decider, write_to(FdKind::kFile, "/pg/base/1")));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kPipe)));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kFile, "/pg/pg_wal/0001", kDb)));
}

TEST(Decider, UnpathedWritesMeanFilesAndForOthersThanDatabasesSockets) {
  Decider decider = armed({rule("a", "api", "write"), rule("d", "db", "write")});
  EXPECT_TRUE(denies(decider, write_to(FdKind::kFile, "/data/x")));
  EXPECT_TRUE(denies(decider, write_to(FdKind::kTcp)));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kSocket)));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kPipe)));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kStdio)));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kFile, "/proc/self/oom_score_adj")));
  EXPECT_TRUE(denies(decider, write_to(FdKind::kFile, "/dev/shm/x")));
  EXPECT_TRUE(denies(decider, write_to(FdKind::kFile, "/data/x", kDb)));
  EXPECT_FALSE(denies(decider, write_to(FdKind::kTcp, {}, kDb)));
}

TEST(Decider, FdKindChooses) {
  for (const auto& [wanted, kind] : {std::pair{"file", FdKind::kFile},
                                     {"socket", FdKind::kSocket},
                                     {"pipe", FdKind::kPipe},
                                     {"stdio", FdKind::kStdio}}) {
    auto only = rule("k", "db", "write");
    only.mutable_syscall()->set_fd_kind(wanted);
    Decider decider = armed({only});
    for (const FdKind other : {FdKind::kFile, FdKind::kSocket, FdKind::kPipe, FdKind::kStdio}) {
      EXPECT_EQ(denies(decider, write_to(other, other == FdKind::kFile ? "/x" : "", kDb)),
                other == kind)
          << wanted;
    }
  }
}

TEST(Decider, ObserversAreSpared) {
  auto sockets = rule("s", "api", "write");
  Decider decider = armed({sockets});
  CallFacts call = write_to(FdKind::kTcp);
  call.observer = true;
  EXPECT_FALSE(denies(decider, call));
  EXPECT_EQ(decider.tallies()[0].near_misses[0], "1x pwrite64 of an observer's connection");
}

TEST(Decider, ConnectMeansTcpAndToNarrows) {
  auto any = rule("any", "api", "connect");
  Decider all = armed({any});
  EXPECT_TRUE(denies(all, connect_to("", "")));
  EXPECT_TRUE(denies(all, connect_to("db", "pg")));
  CallFacts udp = connect_to("", "");
  udp.kind = FdKind::kSocket;
  EXPECT_FALSE(denies(all, udp));

  auto narrow = any;
  narrow.mutable_syscall()->mutable_to()->set_service("db");
  narrow.mutable_syscall()->mutable_to()->set_interface("pg");
  Decider some = armed({narrow});
  EXPECT_TRUE(denies(some, connect_to("db", "pg")));
  EXPECT_FALSE(denies(some, connect_to("db", "other")));
  EXPECT_FALSE(denies(some, connect_to("api", "http")));
  EXPECT_FALSE(denies(some, connect_to("", "")));
  EXPECT_THAT(some.tallies()[0].near_misses,
              ElementsAre("1x connect to db.other", "1x connect to api.http",
                          "1x connect to 10.0.0.1:5432"));
}

std::string pattern(Decider& decider, int calls) {
  std::string out;
  for (int i = 0; i < calls; ++i) out += denies(decider, write_to(FdKind::kFile, "/x")) ? 'x' : '.';
  return out;
}

TEST(Triggers, CountMatches) {
  auto nth = rule("r", "api", "write");
  nth.mutable_trigger()->set_nth(3);
  Decider third = armed({nth});
  EXPECT_EQ(pattern(third, 6), "..x...");

  auto after = rule("r", "api", "write");
  after.mutable_trigger()->set_after(2);
  Decider late = armed({after});
  EXPECT_EQ(pattern(late, 5), "..xxx");

  auto times = rule("r", "api", "write");
  times.mutable_trigger()->set_times(2);
  times.mutable_trigger()->set_after(1);
  Decider few = armed({times});
  EXPECT_EQ(pattern(few, 6), ".xx...");
}

TEST(Triggers, ASpentRuleLooksAtNothingMore) {
  auto once = rule("r", "api", "write");
  once.mutable_trigger()->set_times(1);
  Decider decider = armed({once});
  EXPECT_EQ(pattern(decider, 3), "x..");
  EXPECT_FALSE(decider.interest(kApi, Family::kWrite).any);
  EXPECT_EQ(decider.tallies()[0].considered, 1U);
}

TEST(Triggers, ProbabilityRepeatsPerActorWhateverTheOrder) {
  auto some = rule("r", "api", "write");
  some.mutable_trigger()->set_probability(0.3);
  const auto play = [&](const std::string& order, std::uint64_t seed) {
    Decider decider = armed({some}, seed);
    std::map<char, std::string> by_actor;
    for (const char actor : order) {
      CallFacts call = write_to(FdKind::kFile, "/x");
      call.actor = actor;
      by_actor[actor] += denies(decider, call) ? 'x' : '.';
    }
    return by_actor;
  };
  std::string in_turns;
  for (int i = 0; i < 500; ++i) in_turns += "ab";
  const std::string one_first = std::string(500, 'b') + std::string(500, 'a');
  EXPECT_EQ(play(in_turns, 1), play(one_first, 1));
  EXPECT_NE(play(in_turns, 1), play(in_turns, 2));
  const std::string fires = play(in_turns, 1)['a'];
  EXPECT_NEAR(static_cast<double>(std::ranges::count(fires, 'x')), 150.0, 40.0);
  EXPECT_TRUE(armed({some}).interest(kApi, Family::kWrite).actor);
}

TEST(Decider, TheFirstRuleThatFiresDecides) {
  auto inner = rule("inner", "api", "write");
  inner.mutable_deny()->set_error("ENOSPC");
  inner.mutable_trigger()->set_times(1);
  Decider decider = armed({inner, rule("outer", "api", "write")});
  EXPECT_EQ(decider.decide(write_to(FdKind::kFile, "/x")).rule, "inner");
  EXPECT_EQ(decider.decide(write_to(FdKind::kFile, "/x")).rule, "outer");
  const auto tallies = decider.tallies();
  EXPECT_EQ(tallies[0].fired, 1U);
  EXPECT_EQ(tallies[1].fired, 1U);
  EXPECT_EQ(tallies[1].considered, 1U);
}

TEST(Decider, ARuleWithoutActionRecordsAndChangesNothing) {
  auto recorder = rule("recorder", "api", "write");
  recorder.clear_deny();
  auto second = rule("second", "api", "write");
  second.mutable_trigger()->set_nth(2);
  Decider decider = armed({second, recorder});
  const Verdict first = decider.decide(write_to(FdKind::kFile, "/x"));
  EXPECT_TRUE(first.reported);
  EXPECT_EQ(first.action, Verdict::Action::kAllow);
  EXPECT_EQ(first.decision, "allow");
  const Verdict fired = decider.decide(write_to(FdKind::kFile, "/x"));
  EXPECT_EQ(fired.rule, "second");
  EXPECT_EQ(fired.decision, "deny(EIO)");
  EXPECT_EQ(decider.tallies()[1].matched, 2U);
  EXPECT_FALSE(decider.decide(write_to(FdKind::kPipe)).reported);
}

TEST(Decider, ReplacingKeepsTheCountsOfRulesThatStay) {
  auto times = rule("stays", "api", "write");
  times.mutable_trigger()->set_times(2);
  Decider decider = armed({times, rule("goes", "api", "read")});
  EXPECT_EQ(pattern(decider, 1), "x");
  decider.replace(*compile({times}));
  EXPECT_FALSE(decider.is_armed("goes"));
  EXPECT_TRUE(decider.is_armed("stays"));
  EXPECT_EQ(pattern(decider, 2), "x.");
  const auto tallies = decider.tallies();
  ASSERT_EQ(tallies.size(), 2U);
  EXPECT_EQ(tallies[0].rule, "stays");
  EXPECT_EQ(tallies[0].fired, 2U);
  EXPECT_EQ(tallies[1].rule, "goes");
}

TEST(NearMisses, TheNearestComeFirstThenTheFrequent) {
  auto wal = rule("wal", "db", "write");
  wal.mutable_syscall()->set_path("/data/pg_wal/*");
  Decider decider = armed({wal});
  const auto write = [&decider](FdKind kind, const std::string& path, int times) {
    for (int i = 0; i < times; ++i) decider.decide(write_to(kind, path, kDb));
  };
  write(FdKind::kPipe, "", 9);
  write(FdKind::kFile, "/etc/passwd", 8);
  write(FdKind::kFile, "/data/base/1", 5);
  write(FdKind::kFile, "/data/base/2", 6);
  write(FdKind::kFile, "/data/pg_xact/0", 1);
  EXPECT_THAT(
      decider.tallies()[0].near_misses,
      ElementsAre("1x pwrite64 /data/pg_xact/0", "6x pwrite64 /data/base/2",
                  "5x pwrite64 /data/base/1", "8x pwrite64 /etc/passwd", "9x pwrite64 of a pipe"));
}

TEST(NearMisses, WithoutAPathTheKindDecides) {
  Decider decider = armed({rule("files", "db", "write")});
  for (int i = 0; i < 3; ++i) decider.decide(write_to(FdKind::kPipe, "", kDb));
  decider.decide(write_to(FdKind::kFile, "/proc/self/oom_score_adj", kDb));
  EXPECT_THAT(decider.tallies()[0].near_misses,
              ElementsAre("1x pwrite64 /proc/self/oom_score_adj", "3x pwrite64 of a pipe"));
}

TEST(NearMisses, AFloodNeitherGrowsNorHidesTheNearest) {
  auto wal = rule("wal", "api", "write");
  wal.mutable_syscall()->set_path("/data/*.wal");
  Decider decider = armed({wal});
  for (int i = 0; i < 1000; ++i) decider.decide(write_to(FdKind::kFile, fmt::format("/f{}", i)));
  decider.decide(write_to(FdKind::kFile, "/data/1.wal.new"));
  for (int i = 0; i < 1000; ++i) decider.decide(write_to(FdKind::kFile, fmt::format("/g{}", i)));
  for (int i = 0; i < 7; ++i) decider.decide(write_to(FdKind::kPipe));
  const auto tally = decider.tallies()[0];
  EXPECT_EQ(tally.considered, 2008U);
  EXPECT_EQ(tally.matched, 0U);
  ASSERT_EQ(tally.near_misses.size(), 5U);
  EXPECT_EQ(tally.near_misses[0], "1x pwrite64 /data/1.wal.new");
}

TEST(NearMisses, BeyondTheBoundOnlyTheirNumberIsTold) {
  NearMisses misses;
  const CallFacts call = write_to(FdKind::kPipe);
  for (int i = 0; i < 300; ++i) misses.count(fmt::format("reason {}", i), CompiledRule{}, call);
  EXPECT_EQ(misses.nearest().front(), "44x others");
}

TEST(Compile, RefusesWhatCannotBe) {
  auto wrong = rule("r", "nobody", "write");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("no service is called \"nobody\""));
  wrong = rule("r", "api", "pwrite64");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("no syscall family is called \"pwrite64\""));
  wrong = rule("r", "api", "write");
  wrong.mutable_deny()->set_error("ENOSPACE");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("no errno is called \"ENOSPACE\""));
  wrong = rule("r", "api", "write");
  wrong.mutable_syscall()->mutable_to()->set_service("db");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("to= narrows connect="));
  wrong = rule("r", "api", "connect");
  wrong.mutable_syscall()->mutable_to()->set_service("db");
  wrong.mutable_syscall()->mutable_to()->set_interface("http");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("no interface \"http\""));
  wrong = rule("r", "api", "fsync");
  wrong.mutable_syscall()->set_fd_kind("file");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("fd_kind= narrows read= and write="));
  wrong = rule("r", "api", "write");
  wrong.mutable_syscall()->set_fd_kind("disk");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("none of file, socket, pipe, stdio"));
  wrong = rule("r", "api", "write");
  wrong.set_source("db");
  EXPECT_THAT(why_invalid(wrong), HasSubstr("source=\"db\""));
  wrong = rule("r", "api", "write");
  wrong.mutable_drop();
  EXPECT_THAT(why_invalid(wrong), HasSubstr("denied or delayed"));
}

TEST(Compile, RefusesTriggersThatCannotFire) {
  auto wrong = rule("r", "api", "write");
  wrong.mutable_trigger()->set_nth(0);
  EXPECT_THAT(why_invalid(wrong), HasSubstr("nth="));
  wrong = rule("r", "api", "write");
  wrong.mutable_trigger()->set_times(0);
  EXPECT_THAT(why_invalid(wrong), HasSubstr("times=0"));
  for (const double chance : {0.0, -0.5, 1.5}) {
    wrong = rule("r", "api", "write");
    wrong.mutable_trigger()->set_probability(chance);
    EXPECT_THAT(why_invalid(wrong), HasSubstr("probability="));
  }
  EXPECT_FALSE(compile({rule("twice", "api", "write"), rule("twice", "api", "read")}).has_value());
}

TEST(Compile, LeavesRulesOfOthersAlone) {
  model::Rule http;
  http.set_id("http");
  http.mutable_http()->set_path("/orders");
  http.mutable_error()->set_status(503);
  const auto compiled = compile({http, rule("r", "api", "write")});
  ASSERT_TRUE(compiled.has_value());
  ASSERT_EQ(compiled->size(), 1U);
  EXPECT_EQ(compiled->front().id, "r");
}

}  // namespace
}  // namespace misrule::interceptor
