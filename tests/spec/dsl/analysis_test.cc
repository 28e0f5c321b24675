// What the text of a spec tells before it runs: templates of rules, families, shops.

#include <filesystem>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Analysis = SpecTest;
using Families = std::set<std::string>;

TEST_F(Analysis, BodiesGiveTemplatesOfTheRulesTheyWillMake) {
  const Spec& spec = load(
      "disk_full = deny(\"ENOSPC\", path = \"*/pg_wal/*\")\n"
      "def broken(body):\n"
      "    fails = error(query = \"INSERT*\", label = \"fails\")\n"
      "    return fault(db, fails, write = disk_full, run = body)\n"
      "def test_a():\n"
      "    broken(lambda: fault(api, connect = [deny(\"EIO\"), delay(\"1s\")], run = f))\n"
      "def test_b():\n"
      "    f()\n"
      "def f():\n"
      "    pass\n");
  const auto& rules = spec.tests()[0].dynamic;
  ASSERT_EQ(rules.size(), 4U);
  EXPECT_EQ(rules[0].id(), "test_a/1");
  EXPECT_EQ(rules[0].deny().error(), "EIO");
  EXPECT_EQ(rules[0].syscall().family(), "connect");
  EXPECT_EQ(rules[0].target().service(), "api");
  EXPECT_EQ(rules[0].position().line(), 8U);
  EXPECT_EQ(rules[1].delay().duration_us(), 1'000'000U);
  EXPECT_EQ(rules[2].id(), "fails");
  EXPECT_EQ(rules[2].postgres().query(), "INSERT*");
  EXPECT_EQ(rules[3].syscall().path(), "*/pg_wal/*");
  EXPECT_EQ(rules[3].position().line(), 3U);
  EXPECT_TRUE(spec.tests()[0].declared.empty());
  EXPECT_TRUE(spec.tests()[1].dynamic.empty());
}

TEST_F(Analysis, ATemplateIsAsMuchAsIsKnown) {
  const Spec& spec = load(
      "def test_a():\n    for t in [db, api]:\n"
      "        fault(t, delay(\"1s\", query = \"a\" + \"b\"), run = len)\n");
  ASSERT_EQ(spec.tests()[0].dynamic.size(), 1U);
  EXPECT_EQ(spec.tests()[0].dynamic[0].target().service(), "");
  EXPECT_EQ(spec.tests()[0].dynamic[0].delay().duration_us(), 1'000'000U);
}

TEST_F(Analysis, FamiliesAreWhatTheTextNames) {
  EXPECT_EQ(load("").families_of("api"), Families{"connect"});
  const Spec& spec = load("def test_a():\n    fault(db, write = deny(\"EIO\"), run = len)\n");
  EXPECT_EQ(spec.families_of("postgres"), (Families{"connect", "write"}));
  EXPECT_EQ(spec.families_of("api"), Families{"connect"});
  const Spec& local = load(
      "def test_a():\n    for s in [db]:\n        fault(s, fsync = deny(\"EIO\"), run = "
      "len)\n");
  EXPECT_EQ(local.families_of("api"), (Families{"connect", "fsync"}));
  const Spec& helper = load(
      "def breaks(**rules):\n    fault(db, run = len, **rules)\n"
      "def test_a():\n    breaks(read = deny(\"EIO\"))\n");
  EXPECT_EQ(helper.families_of("api"), (Families{"connect", "read"}));
  const Spec& words = load(
      "def test_a():\n    k = {\"open\": deny(\"EIO\")}\n    fault(db, run = len, **k)\n"
      "    assert_never(where = lambda e: e.syscall == \"fsync\")\n");
  EXPECT_EQ(words.families_of("api"), (Families{"connect", "fsync", "open"}));
  const Spec& declared = load("x = service(\"x\", binary = \"b\", intercept = [\"read\"])\n");
  EXPECT_EQ(declared.families_of("x"), (Families{"connect", "read"}));
  EXPECT_EQ(declared.families_of("api"), Families{"connect"});
}

TEST_F(Analysis, NamesInTextAndCommentsAreNoFamilies) {
  const Spec& spec = load(
      "# write = deny()\ndef test_a():\n    \"\"\"write = deny\"\"\"\n    write = 1\n"
      "    print(\"write\", write)\n");
  EXPECT_EQ(spec.families_of("api"), Families{"connect"});
}

TEST_F(Analysis, AShadowedNameIsNotTheBuiltin) {
  load(
      "def test_a():\n    def fault(wirte):\n        pass\n    fault(wirte = 1)\n    monitor = 1\n"
      "    print(monitor)\n");
}

TEST_F(Analysis, EveryMistakeIsToldInTheOrderOfTheText) {
  const auto found = problems(
      "def test_a():\n    fault(db, wirte = deny(\"EOI\"), run = len)\n"
      "    topic()\ndef test_b(x):\n    events(type = \"wal\")\n");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_TRUE(found[0].starts_with("4:15-34 fault: unexpected keyword")) << found[0];
  EXPECT_TRUE(found[1].starts_with("4:28-33 deny: unknown error")) << found[1];
  EXPECT_TRUE(found[2].starts_with("5:5-10 topic() is not in this version")) << found[2];
  EXPECT_TRUE(found[3].starts_with("6:5-11 test_b: a test is")) << found[3];
  EXPECT_TRUE(found[4].starts_with("7:19-24 this filter matches nothing")) << found[4];
}

TEST_F(Analysis, SyntaxErrorsHaveTheirPlaceAndRendering) {
  const auto loaded = Spec::load(write_file("bad.star", "x = (1,\ndef f():\n"), options_);
  ASSERT_FALSE(loaded);
  EXPECT_GE(loaded.error().front().finding.position.line, 1U);
  EXPECT_NE(loaded.error().front().rendered.find("^"), std::string::npos)
      << loaded.error().front().rendered;
}

TEST_F(Analysis, TheShopLoads) {
  const std::string shop = std::string(MISRULE_SOURCE_DIR) + "/examples/shop/shop.star";
  const auto loaded = Spec::load(shop, options_);
  ASSERT_TRUE(loaded) << loaded.error().front().rendered;
  const Spec& spec = **loaded;
  EXPECT_EQ(spec.families_of("postgres"), (Families{"connect", "write"}));
  EXPECT_EQ(spec.families_of("api"), Families{"connect"});
  EXPECT_TRUE(spec.notes().empty()) << spec.notes().front().rendered;
  std::map<std::string, std::size_t> rules;
  for (const dsl::Test& test : spec.tests()) rules[test.name] = test.dynamic.size();
  EXPECT_EQ(rules["test_checkout"], 0U);
  EXPECT_EQ(rules["test_database_refuses_connections"], 1U);
  EXPECT_EQ(rules["test_insert_fails_once_then_retries"], 1U);
  EXPECT_EQ(rules["test_disk_full"], 1U);
  EXPECT_EQ(rules["test_slow_query_times_out"], 1U);
}

/// A shop in memory: orders and payments, charged twice if it is the buggy one.
class Shop {
 public:
  explicit Shop(bool charges_twice) : charges_twice_(charges_twice) {}

  StepReply answer(const StepCall& call) {
    StepReply reply{.ok = true, .status = 200, .took = std::chrono::milliseconds(3)};
    if (const auto* sql = std::get_if<SqlStep>(&call.step); sql != nullptr) {
      const bool payments = sql->sql.ends_with("payments");
      reply.status = 0;
      reply.data.text = fmt::format("[{{\"n\": {}}}]", payments ? payments_ : orders_);
      return reply;
    }
    const auto& http = std::get<HttpStep>(call.step);
    if (http.method == "POST" && http.path == "/orders") {
      ++orders_;
      reply.status = 201;
    } else if (http.method == "POST") {
      payments_ = charges_twice_ ? payments_ + 1 : 1;
    } else {
      reply.data.text = "[{\"id\": 1, \"item\": \"lamp\", \"quantity\": 1}]";
    }
    return reply;
  }

 private:
  bool charges_twice_;
  int orders_ = 0;
  int payments_ = 0;
};

TEST_F(Analysis, TheShopRunsAndItsBugIsCaughtWhereItShows) {
  const std::string path = std::string(MISRULE_SOURCE_DIR) + "/examples/shop/shop.star";
  const auto loaded = Spec::load(path, options_);
  ASSERT_TRUE(loaded);
  for (const bool buggy : {false, true}) {
    for (const dsl::Test& test : (*loaded)->tests()) {
      RecordingHost host;
      Shop shop(buggy);
      host.on_step = [&](const StepCall& call) { return shop.answer(call); };
      const BodyResult result = (*loaded)->run_test(test.name, host);
      const bool caught = buggy && test.name == "test_insert_fails_once_then_retries";
      EXPECT_EQ(result.completed, !caught)
          << test.name << (result.finding ? shown(*result.finding) : "");
      if (caught)
        EXPECT_EQ(result.finding->message, "assert_eq: payments charged: expected 1, got 2");
    }
  }
}

}  // namespace
}  // namespace misrule::dsl
