// What a decision costs with no rule, ten, and ten thousand. The rules share protocol, statement
// kind and first table (or method) with the traffic, and differ in their globs; the traffic matches
// one of them, or none. Each case checks that what should fire did.
//
//   rules_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true

#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "codecs/facts.h"
#include "proxy/rules/rule_set.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::rules {
namespace {

constexpr std::int64_t kFirst = 1'000'000;

model::Topology topology() {
  using model::Protocol;
  model::Topology topology;
  topology.services = {
      {.name = "db", .interfaces = {{.name = "pg", .protocol = Protocol::kPostgres}}},
      {.name = "api", .interfaces = {{.name = "http", .protocol = Protocol::kHttp}}},
  };
  return topology;
}

model::Rule statement_rule(std::int64_t number) {
  model::Rule rule;
  rule.set_id(fmt::format("r{}", number));
  rule.mutable_target()->set_service("db");
  rule.mutable_postgres()->set_query(
      fmt::format("SELECT * FROM pgbench_accounts WHERE aid = {}*", kFirst + number));
  rule.mutable_error()->set_code("40001");
  return rule;
}

model::Rule request_rule(std::int64_t number) {
  model::Rule rule;
  rule.set_id(fmt::format("r{}", number));
  rule.mutable_target()->set_service("api");
  rule.mutable_http()->set_method("GET");
  rule.mutable_http()->set_path(fmt::format("/shops/*/orders/{}", kFirst + number));
  rule.mutable_error()->set_status(503);
  return rule;
}

struct Traffic {
  codecs::Facts facts = {};
  std::string_view service = {};
  std::string_view interface = {};
  bool fires = false;
};

using MakeRule = model::Rule (*)(std::int64_t);

void decide(benchmark::State& state, MakeRule make_rule, const Traffic& traffic) {
  RuleBook book(1);
  model::RuleSet rules;
  for (std::int64_t i = 0; i < state.range(0); ++i) *rules.add_rules() = make_rule(i);
  const auto set = RuleSet::compile(rules, topology(), book);
  if (!set.has_value()) return state.SkipWithError(set.error().what.c_str());
  const Scope scope = (*set)->scope(
      {.service = traffic.service, .interface = traffic.interface, .consumer = "shop"});
  Actor actor("shop#1");
  std::int64_t fired = 0;
  for (auto _ : state) fired += scope.decide(traffic.facts, actor).rule != nullptr ? 1 : 0;
  const bool expected = traffic.fires && state.range(0) > 7;
  if (fired != (expected ? state.iterations() : 0)) state.SkipWithError("the wrong number fired");
}

void statement_none(benchmark::State& state) {
  decide(state, statement_rule,
         {.facts = {.protocol = "postgres",
                    .operation = "Query",
                    .subject = "select abalance from pgbench_accounts where aid = 17",
                    .state = "idle"},
          .service = "db",
          .interface = "pg"});
}

void statement_one(benchmark::State& state) {
  decide(state, statement_rule,
         {.facts = {.protocol = "postgres",
                    .operation = "Query",
                    .subject = "select abalance from pgbench_accounts where aid = 1000007",
                    .state = "idle"},
          .service = "db",
          .interface = "pg",
          .fires = true});
}

void request_none(benchmark::State& state) {
  decide(state, request_rule,
         {.facts = {.protocol = "http", .operation = "GET", .subject = "/shops/4/orders/17"},
          .service = "api",
          .interface = "http"});
}

void request_one(benchmark::State& state) {
  decide(state, request_rule,
         {.facts = {.protocol = "http", .operation = "GET", .subject = "/shops/4/orders/1000007"},
          .service = "api",
          .interface = "http",
          .fires = true});
}

void compile_set(benchmark::State& state) {
  model::RuleSet rules;
  for (std::int64_t i = 0; i < state.range(0); ++i) *rules.add_rules() = statement_rule(i);
  RuleBook book(1);
  for (auto _ : state) benchmark::DoNotOptimize(RuleSet::compile(rules, topology(), book));
}

BENCHMARK(statement_none)->Arg(0)->Arg(10)->Arg(10'000);
BENCHMARK(statement_one)->Arg(10)->Arg(10'000);
BENCHMARK(request_none)->Arg(0)->Arg(10)->Arg(10'000);
BENCHMARK(request_one)->Arg(10)->Arg(10'000);
BENCHMARK(compile_set)->Arg(10)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace misrule::rules

BENCHMARK_MAIN();
