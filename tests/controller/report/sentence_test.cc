#include "controller/report/sentence.h"

#include <gtest/gtest.h>

#include "controller/report/text.h"

namespace misrule::controller {
namespace {

using model::Event;

std::string sentence(const Event& event) {
  const Sentence s = sentence_of(event);
  return s.who + " | " + s.what + " | " + s.rule;
}

Event event_of(std::string service, std::string type) {
  return {.service = std::move(service), .type = std::move(type)};
}

TEST(Sentence, Steps) {
  EXPECT_EQ(sentence(event_of("test", "step_send").set("to", "db").set("query", "SELECT\n 1")),
            "test → db | SELECT 1 | ");
  EXPECT_EQ(sentence(event_of("test", "step_recv")
                         .set("to", "api")
                         .set("status", std::int64_t{503})
                         .set("duration_ms", std::int64_t{12})),
            "api → test | 503 after 12 ms | ");
  EXPECT_EQ(sentence(event_of("test", "step_recv")
                         .set("to", "db")
                         .set("status", std::int64_t{0})
                         .set("error", "relation \"x\" does not exist")
                         .set("code", "42P01")),
            "db → test | 42P01 relation \"x\" does not exist | ");
  EXPECT_EQ(sentence(event_of("test", "step_recv").set("to", "db").set("status", std::int64_t{0})),
            "db → test | ok | ");
}

TEST(Sentence, ProxiedRequestsSayWhatTheServerDid) {
  Event error = event_of("api", "proxy");
  error.set("to", "db").set("query", "COMMIT").set("action", "error").set("rule", "r");
  error.set("reply", "ERROR 40001").set("server", "did_not");
  EXPECT_EQ(sentence(error), "api → db | COMMIT | rule r: ERROR 40001 (server did nothing)");

  Event slow = event_of("api", "proxy");
  slow.set("to", "db").set("query", "SELECT 1").set("action", "delay").set("rule", "r");
  slow.set("decision", "delay(3s)").set("reply", "SELECT 1").set("server", "did");
  EXPECT_EQ(sentence(slow), "api → db | SELECT 1 | rule r: delay(3s) (server did it)");

  Event plain = event_of("api", "proxy");
  plain.set("to", "db").set("method", "GET").set("path", "/x").set("reply", "200");
  EXPECT_EQ(sentence(plain), "api → db | GET /x | ⇒ 200");
}

TEST(Sentence, TheProxysOwnRemarks) {
  Event opaque = event_of("api", "proxy");
  opaque.set("to", "db").set("action", "opaque").set("reason", "encrypted");
  EXPECT_EQ(sentence(opaque), "api → db | cannot be decoded from here on: encrypted | ");
  Event released = event_of("api", "proxy");
  released.set("to", "db").set("action", "released").set("reason", "the rule ended");
  released.set("rule", "slow");
  EXPECT_EQ(sentence(released), "api → db | goes on: the rule ended | rule slow");
}

TEST(Sentence, SystemCalls) {
  EXPECT_EQ(sentence(event_of("db", "syscall")
                         .set("syscall", "write")
                         .set("name", "pwrite64")
                         .set("path", "/data/pg_wal/1")
                         .set("decision", "deny(ENOSPC)")
                         .set("rule", "full")),
            "db | pwrite64 /data/pg_wal/1 | rule full: deny(ENOSPC)");
  EXPECT_EQ(sentence(event_of("api", "syscall")
                         .set("syscall", "connect")
                         .set("to", "db")
                         .set("decision", "allow")),
            "api | connect to db | allow");
}

TEST(Sentence, Lifecycle) {
  EXPECT_EQ(sentence(event_of("db", "lifecycle")
                         .set("action", "exited")
                         .set("signal", std::int64_t{6})
                         .set("explained_by", "full")),
            "db | was ended by signal 6 | explained by rule full");
  EXPECT_EQ(sentence(event_of("db", "lifecycle").set("action", "exited").set("code", "1")),
            "db | exited with code 1 | ");
  EXPECT_EQ(sentence(event_of("api", "lifecycle")
                         .set("action", "rule_armed")
                         .set("rule", "down")
                         .set("detail", "4 connections cut")),
            "api | rule armed: 4 connections cut | rule down");
}

TEST(Sentence, UnknownTypesAreShownAsTheyAre) {
  EXPECT_EQ(sentence(event_of("db", "wal").set("table", "orders")), "db | wal table=orders | ");
}

TEST(Sentence, HostileOutputStaysOnItsLine) {
  EXPECT_EQ(sentence(event_of("api", "stdout").set("body", "a\n\x1b[31mb")),
            "api | printed: a ·[31mb | ");
}

TEST(Sentence, ATestsOwnRulesHaveShortNames) {
  EXPECT_EQ(short_rule_id("test_a/1", "test_a"), "1");
  EXPECT_EQ(short_rule_id("test_ab/1", "test_a"), "test_ab/1");
  EXPECT_EQ(short_rule_id("disk full", "test_a"), "disk full");
  Event event = event_of("db", "syscall");
  event.set("name", "write").set("decision", "deny(EIO)").set("rule", "test_a/2");
  const std::vector<std::string> lines = story_lines({event}, {.columns = 100, .test = "test_a"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with("rule 2: deny(EIO)")) << lines[0];
}

TEST(Sentence, StoriesStayWithinTheirColumns) {
  Event event = event_of("api", "proxy");
  event.set("to", "db").set("query", std::string(300, 'x')).set("reply", "ERROR");
  for (const std::size_t columns : {20U, 60U, 120U}) {
    for (const std::string& line : story_lines({event, event}, {.columns = columns})) {
      EXPECT_LE(text_columns(line), std::max<std::size_t>(columns, 60)) << line;
    }
  }
}

}  // namespace
}  // namespace misrule::controller
