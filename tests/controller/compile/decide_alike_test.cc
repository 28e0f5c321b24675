// The rules that a spec makes, and the same rules printed as YAML and read back, decide alike on
// recorded conversations.

#include <fstream>

#include "codecs/postgres/conversation.h"
#include "controller/compile/rules_file.h"
#include "proxy/rules/rule_set.h"
#include "tests/codecs/grind.h"
#include "tests/codecs/pump.h"

namespace misrule::controller {
namespace {

constexpr const char* kSpec = R"(
db = service("db", interface("main", "postgres", 5432), image = "postgres:16")

def test_rules():
    fault(db,
        delay("3s", query = "SELECT*", nth = 3, label = "third"),
        error(query = "insert into*", code = "40001", message = "again", after = 1, times = 2),
        drop(query = "*pgbench_accounts*", probability = 0.3),
        delay("2ms", side = "reply"),
        run = lambda: None)
)";

model::RuleFile rules_of_spec() {
  const std::string path = testing::TempDir() + "/decide_alike.star";
  std::ofstream(path) << kSpec;
  dsl::LoadOptions options;
  options.syscall_families = {"connect"};
  const auto spec = dsl::Spec::load(path, options);
  EXPECT_TRUE(spec) << spec.error().front().rendered;
  return spec ? rules_of(**spec) : model::RuleFile();
}

model::Topology topology() {
  model::Service db{.name = "db"};
  db.interfaces.push_back({.name = "main", .protocol = model::Protocol::kPostgres, .port = 5432});
  return {.services = {db}};
}

/// "7 third delay(3s)" per unit on which a rule acted. The recording goes on as it was: what an
/// action would change is not what is compared.
std::vector<std::string> decisions(const model::TestRules& test,
                                   const codecs::Recording& recording) {
  model::RuleSet wanted;
  for (const model::Rule& rule : test.dynamic()) *wanted.add_rules() = rule;
  rules::RuleBook book(1);
  const auto set = rules::RuleSet::compile(wanted, topology(), book);
  EXPECT_TRUE(set) << set.error().what;
  if (!set) return {};
  const rules::Scope scope =
      (*set)->scope({.service = "db", .interface = "main", .consumer = "api"});
  rules::Actor actor("api#1");
  std::vector<std::string> log;
  codecs::RecordingHost host;
  host.decide_as = [&](const codecs::Facts& facts) {
    const rules::Decision decision = scope.decide(facts, actor);
    if (decision.rule != nullptr) {
      log.push_back(
          fmt::format("{} {} {}", facts.unit, decision.rule->id, decision.rule->decision));
    }
    return codecs::Verb{};
  };
  const auto conversation = codecs::postgres::make_conversation(host);
  codecs::Pump pump(*conversation);
  pump.feed(recording);
  return log;
}

TEST(DecideAlike, WhatIsReadBackDecidesAsWhatWasDeclared) {
  const model::RuleFile declared = rules_of_spec();
  ASSERT_EQ(declared.tests_size(), 1);
  ASSERT_EQ(declared.tests(0).dynamic_size(), 4);
  const auto back = rules_from_yaml(rules_to_yaml(declared), "rules.yaml");
  ASSERT_TRUE(back) << back.error().what;
  std::set<std::string> fired;
  for (const std::string& file : codecs::vector_files("postgres")) {
    const codecs::Recording recording = codecs::read_recording(file);
    const auto expected = decisions(declared.tests(0), recording);
    EXPECT_EQ(decisions(back->tests(0), recording), expected) << file;
    for (const std::string& line : expected) fired.insert(line.substr(line.find(' ') + 1));
  }
  // The control: the recordings meet the rules at all, each of them.
  EXPECT_EQ(fired.size(), 4U) << fmt::format("{}", fmt::join(fired, "; "));
}

TEST(DecideAlike, ADifferentRuleDecidesDifferently) {
  model::RuleFile declared = rules_of_spec();
  ASSERT_EQ(declared.tests_size(), 1);
  model::TestRules changed = declared.tests(0);
  changed.mutable_dynamic(0)->mutable_trigger()->set_nth(1);
  std::size_t different = 0;
  for (const std::string& file : codecs::vector_files("postgres")) {
    const codecs::Recording recording = codecs::read_recording(file);
    if (decisions(changed, recording) != decisions(declared.tests(0), recording)) ++different;
  }
  EXPECT_GT(different, 0U);
}

}  // namespace
}  // namespace misrule::controller
