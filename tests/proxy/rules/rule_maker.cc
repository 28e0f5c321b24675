#include "tests/proxy/rules/rule_maker.h"

#include <gtest/gtest.h>

namespace misrule::rules {

model::Topology shop_topology() {
  using model::Protocol;
  model::Topology topology;
  topology.services = {
      {.name = "db", .interfaces = {{.name = "pg", .protocol = Protocol::kPostgres}}},
      {.name = "api", .interfaces = {{.name = "http", .protocol = Protocol::kHttp}}},
      {.name = "relay", .interfaces = {{.name = "raw", .protocol = Protocol::kTcp}}},
      {.name = "cache", .interfaces = {{.name = "main", .protocol = Protocol::kRedis}}},
      {.name = "log", .interfaces = {{.name = "main", .protocol = Protocol::kKafka}}},
      {.name = "worker"},
  };
  return topology;
}

model::Rule postgres_error(std::string_view id, std::string_view query) {
  model::Rule rule;
  rule.set_id(std::string(id));
  rule.mutable_target()->set_service("db");
  rule.mutable_target()->set_interface("pg");
  rule.mutable_postgres()->set_query(std::string(query));
  rule.mutable_error()->set_code("40001");
  return rule;
}

model::Rule http_error(std::string_view id, std::string_view path) {
  model::Rule rule;
  rule.set_id(std::string(id));
  rule.mutable_target()->set_service("api");
  rule.mutable_target()->set_interface("http");
  rule.mutable_http()->set_path(std::string(path));
  rule.mutable_error()->set_status(503);
  return rule;
}

codecs::Facts statement(std::string_view sql) {
  return {
      .protocol = "postgres", .operation = "Query", .subject = sql, .text = sql, .state = "idle"};
}

codecs::Facts request(std::string_view method, std::string_view path) {
  return {.protocol = "http", .operation = method, .subject = path, .text = path};
}

Bench::Bench(std::vector<model::Rule> rules, std::string_view consumer)
    : consumer_(consumer), actor_(std::string(consumer) + "#1") {
  arm(std::move(rules));
}

void Bench::arm(std::vector<model::Rule> rules) {
  model::RuleSet wanted;
  for (model::Rule& rule : rules) *wanted.add_rules() = std::move(rule);
  auto compiled = RuleSet::compile(wanted, shop_topology(), book_);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().what;
  set_ = *std::move(compiled);
}

Decision Bench::decide_fully(const codecs::Facts& facts) {
  const bool http = facts.protocol == "http";
  const Scope scope = set_->scope(
      {.service = http ? "api" : "db", .interface = http ? "http" : "pg", .consumer = consumer_});
  return scope.decide(facts, actor_);
}

std::string Bench::decide(const codecs::Facts& facts) {
  const Decision decision = decide_fully(facts);
  return decision.rule == nullptr ? std::string() : decision.rule->id;
}

model::RuleTally Bench::tally(std::string_view id) const {
  for (model::RuleTally& tally : book_.tallies()) {
    if (tally.rule == id) return tally;
  }
  return {};
}

}  // namespace misrule::rules
