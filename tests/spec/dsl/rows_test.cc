// What the printed documents write, in our own words: each test carries the numbers of the rows of
// the vocabulary's inventory that it is about.

#include <gmock/gmock.h>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using model::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using Lines = std::vector<std::string>;

const std::string kSystem = R"(
db = service("postgres",
    interface("main", "postgres", 5432),
    image="postgres:16",
    env={"POSTGRES_PASSWORD": "test"},
    healthcheck=tcp("localhost:5432"),
)

cache = service("cache",
    interface("redis", "redis", 6379),
    image="redis:7",
    healthcheck=tcp("localhost:6379"),
)

api = service("api",
    interface("http", "http", 8080),
    build="./api",
    env={
        "DATABASE_URL": "postgres://test@" + db.main.internal_addr + "/testdb",
        "REDIS_URL": "redis://" + cache.redis.internal_addr,
    },
    depends_on=[db, cache],
    healthcheck=http("localhost:8080/health"),
)

def create():
    return api.http.post(path="/users", body='{"name":"ada"}')

scenario(create)

def health():
    return api.http.get(path="/health")

scenario(health)
)";

class Rows : public SpecTest {
 protected:
  /// What became of "def test_x():" with this body behind kSystem.
  std::string outcome(const std::string& body) {
    Spec& spec = load_whole(kSystem + test_of(body));
    return told(spec.run_test("test_x", host_));
  }
  std::string told(const BodyResult& result) {
    if (!result.violations.empty()) return result.violations[0].message;
    if (result.completed) return "completed";
    return result.finding ? result.finding->message : "no finding";
  }
  /// The declared rule of the first test.
  const model::Rule& rule_of(const std::string& text) {
    return load_whole(kSystem + text).tests().at(0).declared.at(0);
  }
  void answer(int status) {
    host_.on_step = [status](const StepCall&) {
      return StepReply{.ok = status < 400,
                       .status = status,
                       .data = {"[{\"n\": 1}]"},
                       .took = std::chrono::milliseconds(20)};
    };
  }
};

TEST_F(Rows, S0_1_S0_2_S0_3_S0_4_S0_5_S1_2_ServicesAreWhatTheySay) {
  const Spec& spec = load_whole(kSystem + "def test_x():\n    pass\n");
  const model::Service& db = spec.topology().services[0];
  EXPECT_EQ(db.name, "postgres") << "whatever the spec's own name for it is";
  EXPECT_EQ(db.image, "postgres:16");
  EXPECT_THAT(db.env, ElementsAre(std::pair("POSTGRES_PASSWORD", "test")));
  EXPECT_EQ(db.healthcheck.kind, model::Healthcheck::Kind::kTcp);
  EXPECT_EQ(db.healthcheck.host, "localhost");
  EXPECT_EQ(db.healthcheck.port, 5432);
  EXPECT_EQ(db.interfaces[0].name, "main");
  EXPECT_EQ(spec.topology().services[1].interfaces[0].name, "redis") << "as its protocol is";
  EXPECT_EQ(spec.topology().services[2].interfaces[0].protocol, model::Protocol::kHttp);
  EXPECT_EQ(spec.topology().services[2].interfaces[0].port, 8080);
}

TEST_F(Rows, S0_6_S0_7_S0_8_S0_9_S1_4_S1_5_AServiceIsBuiltAndKnowsWhomItNeeds) {
  const Spec& spec = load_whole(kSystem + "def test_x():\n    pass\n");
  const model::Service& api = spec.topology().services[2];
  EXPECT_EQ(api.build, "./api");
  EXPECT_THAT(api.env,
              ElementsAre(std::pair("DATABASE_URL", "postgres://test@localhost:5432/testdb"),
                          std::pair("REDIS_URL", "redis://localhost:6379")));
  EXPECT_THAT(api.depends_on, ElementsAre("postgres", "cache"));
  EXPECT_EQ(api.healthcheck.kind, model::Healthcheck::Kind::kHttp);
  EXPECT_EQ(api.healthcheck.path, "/health");
  EXPECT_EQ(api.healthcheck.port, 8080);
}

TEST_F(Rows, S0_10_S0_11_ATestIsFoundByItsNameAndDescribedByItsDocstring) {
  const Spec& spec = load_whole(
      kSystem + "def helper():\n    pass\ndef test_it():\n    \"\"\"Nothing twice.\"\"\"\n");
  ASSERT_EQ(spec.tests().size(), 1U);
  EXPECT_EQ(spec.tests()[0].name, "test_it");
  EXPECT_EQ(spec.tests()[0].description, "Nothing twice.");
}

TEST_F(Rows, S0_12_S2_1_AStepOfTheOnlyInterfaceIsCalledOnTheService) {
  EXPECT_EQ(outcome("api.post(path=\"/payments\", body='{\"amount\": 100}')\n"
                    "api.post(path=\"/orders\", body='...')"),
            "completed");
  EXPECT_EQ(host_.log(), (Lines{"POST /payments -> api.http", "POST /orders -> api.http"}));
  EXPECT_EQ(std::get<HttpStep>(host_.steps[0].step).body, "{\"amount\": 100}");
  EXPECT_EQ(std::get<HttpStep>(host_.steps[1].step).body, "...") << "any text";
}

TEST_F(Rows, S0_13_S0_14_S0_15_S0_16_AFaultLastsAsLongAsItsCallback) {
  const std::string body =
      "before = api.post(path=\"/p\", body=\"first\")\n"
      "def dies():\n"
      "    again = api.post(path=\"/p\", body=\"second\")\n"
      "    assert_eq(again.status, before.status)  # a name of the function around it\n"
      "    assert_eq(again.status, 200)\n"
      "fault(db, write=deny(\"EIO\", label=\"failover\"), run=dies)\n"
      "api.get(path=\"/after\")\n";
  EXPECT_EQ(outcome(body), "completed");
  EXPECT_EQ(host_.log(), (Lines{"POST /p -> api.http", "arm failover", "POST /p -> api.http",
                                "disarm 1", "GET /after -> api.http"}));
  EXPECT_EQ(host_.armed[0][0].label(), "failover");
  EXPECT_EQ(host_.armed[0][0].syscall().family(), "write");
  answer(503);
  EXPECT_THAT(outcome(body), HasSubstr("expected 200, got 503")) << "both values are named";
}

TEST_F(Rows, S0_17_S0_18_S1_15_RowsAreDictsWithTypedValues) {
  answer(0);
  EXPECT_EQ(outcome("resp = db.main.query(sql=\"SELECT count(*) AS n FROM p\")\n"
                    "assert_eq(resp.data[0][\"n\"], 1)\n"
                    "assert_eq(type(resp.data[0][\"n\"]), \"int\")\n"
                    "assert_eq(len(resp.data), 1)"),
            "completed");
}

TEST_F(Rows, S1_3_S1_13_S1_14_AScenarioStaysAFunctionThatReturnsItsAnswer) {
  EXPECT_EQ(outcome("assert_eq([create().status, health().status], [200, 200])\n"
                    "assert_eq(str(type(create)), \"function\")"),
            "completed");
  EXPECT_EQ(host_.log(), (Lines{"POST /users -> api.http", "GET /health -> api.http"}));
  load_whole(kSystem + "def ready():\n    return api.http.get(path=\"/ready\")\n" +
             "again = scenario(ready)\n" + test_of("assert_eq(again().status, 200)"));
  EXPECT_EQ(told(spec_->run_test("test_x", host_)), "completed");
}

TEST_F(Rows, S1_16_KeysAreAList) {
  host_.on_step = [](const StepCall&) { return StepReply{.ok = true, .data = {"[\"user:1\"]"}}; };
  EXPECT_EQ(outcome("assert_eq(len(cache.redis.keys(pattern=\"user:*\").data), 1)"), "completed");
  EXPECT_EQ(host_.log(), (Lines{"KEYS user:* -> cache.redis"}));
}

TEST_F(Rows, S1_19_S1_20_S2_22_WritesAreDeniedOrDelayed) {
  const std::string scenario = "fault_scenario(\"x\", scenario = create, faults = [f])\n";
  const model::Rule& full =
      rule_of("f = fault_assumption(\"f\",\n    target = db,\n    write = deny(\"ENOSPC\"),\n)\n" +
              scenario);
  EXPECT_EQ(full.target().service(), "postgres");
  EXPECT_EQ(full.syscall().family(), "write");
  EXPECT_EQ(full.deny().error(), "ENOSPC");
  EXPECT_EQ(rule_of("f = fault_assumption(\"f\", target = db, write = delay(\"3s\"))\n" + scenario)
                .delay()
                .duration_us(),
            3'000'000);
  EXPECT_EQ(
      rule_of("f = fault_assumption(\"f\", target = db, write = delay(\"500ms\"))\n" + scenario)
          .delay()
          .duration_us(),
      500'000);
}

TEST_F(Rows, S1_21_AnInterfacesStatementsAreRefusedInWordsOfTheSpecs) {
  const model::Rule& rule = rule_of(
      "f = fault_assumption(\"f\",\n    target = db.main,\n"
      "    rules = [error(query=\"INSERT INTO users*\", message=\"disk full\")],\n)\n"
      "fault_scenario(\"x\", scenario = create, faults = [f])\n");
  EXPECT_EQ(rule.target().interface(), "main");
  EXPECT_EQ(rule.postgres().query(), "INSERT INTO users*");
  EXPECT_EQ(rule.error().message(), "disk full");
}

TEST_F(Rows, S1_41_S1_42_S1_49_S2_2_AMatrixWithADefaultAloneJudgesEveryCellThatIsLeft) {
  const std::string matrix =
      "f = fault_assumption(\"f\", target = api, connect = deny(\"ECONNREFUSED\"))\n"
      "g = fault_assumption(\"g\", target = db, write = deny(\"EIO\"))\n"
      "fault_matrix(scenarios = [create, health], faults = [f, g],\n"
      "    default_expect = lambda r: assert_true(r WANTED None),\n"
      "    exclude = [\n        (health, g),    # does not write\n    ],\n)\n";
  const auto with = [&](const std::string& wanted) {
    std::string text = matrix;
    text.replace(text.find("WANTED"), 6, wanted);
    return kSystem + text;
  };
  Spec& spec = load_whole(with("!="));
  ASSERT_EQ(spec.tests().size(), 3U);
  for (const dsl::Test& test : spec.tests()) {
    EXPECT_TRUE(test.has_oracle);
    EXPECT_TRUE(spec.run_test(test.name, host_).completed) << "a response is not None";
  }
  Spec& wrong = load_whole(with("=="));
  EXPECT_FALSE(wrong.run_test("test_matrix_health_f", host_).completed);
}

TEST_F(Rows, S0_21_ADatabaseACacheAGatewayAndADiskCanFail) {
  const Spec& spec = load_whole(
      kSystem +
      "gateway = service(\"gateway\", interface(\"http\", \"http\", 9000), image = \"pay:1\")\n"
      "fault_matrix(scenarios = [create], faults = [\n"
      "    fault_assumption(\"db_down\", target = api, connect = deny(\"ECONNREFUSED\"), to = "
      "db),\n"
      "    fault_assumption(\"no_cache\", target = api, connect = deny(\"ECONNREFUSED\"),\n"
      "                     to = cache),\n"
      "    fault_assumption(\"timeout\", target = gateway, rules = [delay(\"60s\", path = "
      "\"/pay\")]),\n"
      "    fault_assumption(\"disk_full\", target = db, write = deny(\"ENOSPC\")),\n])\n");
  ASSERT_EQ(spec.tests().size(), 4U);
  const auto rule = [&spec](std::size_t test) { return spec.tests()[test].declared.at(0); };
  EXPECT_EQ(rule(0).syscall().to().service(), "postgres");
  EXPECT_EQ(rule(1).syscall().to().service(), "cache");
  EXPECT_EQ(rule(2).delay().duration_us(), 60'000'000);
  EXPECT_EQ(rule(3).deny().error(), "ENOSPC");
}

TEST_F(Rows, S1_23_S1_24_S1_26_S1_27_AnAssumptionHasAllItsMonitorsAndMeansEveryDestination) {
  Spec& spec =
      load_whole(kSystem +
                 "def one(event):\n    fail(\"one\")\ndef two(event):\n    fail(\"two\")\n"
                 "first = monitor(one)\nsecond = monitor(two)\n"
                 "down = fault_assumption(\"down\",\n    target = api,\n"
                 "    connect = deny(\"ECONNREFUSED\"),\n    monitors = [first, second],\n)\n"
                 "slow = fault_assumption(\"slow\", target = api, write = delay(\"8s\"), monitors "
                 "= [second])\n"
                 "fault_matrix(scenarios = [create], faults = [down, slow])\n");
  const model::Rule& down = spec.tests().at(0).declared.at(0);
  EXPECT_FALSE(down.syscall().has_to()) << "nothing can be reached";
  EXPECT_NE(down.syscall().established(), "keep") << "a pool's connections are cut, too";
  EXPECT_EQ(spec.tests().at(1).declared.at(0).delay().duration_us(), 8'000'000);
  host_.happen(Event{.service = "api", .type = "stdout"});
  EXPECT_EQ(spec.run_test("test_matrix_create_down", host_).violations.size(), 2U);
  EXPECT_EQ(spec.run_test("test_matrix_create_slow", host_).violations.size(), 1U);
}

TEST_F(Rows, S1_6_S1_7_S1_11_S2_11_WhatComesLaterIsRefusedByName) {
  const auto refused = [this](const std::string& text) {
    return fmt::format(
        "{}", fmt::join(problems_whole(kSystem + text + "\ndef test_x():\n    pass\n"), "\n"));
  };
  const std::string broker =
      "k = service(\"k\", interface(\"broker\", \"kafka\", 9092), image = \"k:7\")";
  EXPECT_THAT(refused(broker), HasSubstr("protocol \"kafka\" is not in this version yet"));
  EXPECT_THAT(refused(broker), HasSubstr("\"tcp\" carries it undecoded"));
  EXPECT_THAT(refused("g = service(\"g\", interface(\"grpc\", \"grpc\", 50051), image = \"g:1\")"),
              HasSubstr("protocol \"grpc\" is not in this version yet"));
  EXPECT_THAT(refused("k = service(\"k\", interface(\"broker\", \"tcp\", 9092), image = \"k:7\",\n"
                      "    observe = [topic(\"orders\", decoder=json_decoder())])"),
              HasSubstr("topic() is not in this version yet"));
  EXPECT_THAT(refused("assert_never(type = \"topic\", where = {\"topic\": \"orders\"})"),
              HasSubstr("no source of this spec produces \"topic\" events"));
  EXPECT_THAT(
      refused("f = fault_assumption(\"f\", target = api, rules = [drop(topic = \"orders\")])"),
      HasSubstr("unexpected keyword argument \"topic\""));
}

// Topics come with their protocol; until then what carries them can be lost as a whole.
TEST_F(Rows, S1_9_S1_12_S1_25_WhatIsNotDecodedHasAddressHealthcheckAndLosses) {
  const Spec& spec = load_whole(
      "broker = service(\"broker\", interface(\"kafka\", \"tcp\", 9092), image = \"k:7\",\n"
      "    healthcheck = tcp(\"localhost:9092\"))\n"
      "service(\"p\", interface(\"http\", \"http\", 8080), image = \"p:1\",\n"
      "    env = {\"BROKERS\": broker.kafka.internal_addr}, depends_on = [broker])\n"
      "lost = fault_assumption(\"lost\", target = broker.kafka,\n"
      "                        rules = [drop(mode = \"connection\")])\n"
      "def publish():\n    return 1\n"
      "fault_scenario(\"x\", scenario = publish, faults = [lost])\n");
  EXPECT_EQ(spec.topology().services[0].healthcheck.kind, model::Healthcheck::Kind::kTcp);
  EXPECT_THAT(spec.topology().services[1].env, ElementsAre(std::pair("BROKERS", "localhost:9092")))
      << "bare host:port";
  EXPECT_EQ(spec.tests().at(0).declared.at(0).drop().mode(), "connection");
}

TEST_F(Rows, S1_43_S2_20_S2_23_EveryElementOfATuplesLambdaIsJudgedInItsOrder) {
  const std::string text =
      "fault_scenario(\"x\", scenario = create,\n"
      "    expect = lambda r: (\n"
      "        assert_eq(r.status, 200),\n"
      "        # a comment, and a step of its own\n"
      "        assert_eq(api.get(path=\"/second\").status, 200,\n            \"second\"),\n"
      "        assert_eq(r.status, 3, \"third\"),\n"
      "        assert_eq(r.status, 4, \"fourth\"),\n    ),\n)\n"
      "fault_scenario(\"one\", scenario = create,\n"
      "    expect = lambda r: (assert_true(r.status == 201 or r.status >= 500),))\n";
  Spec& spec = load_whole(kSystem + text);
  EXPECT_THAT(told(spec.run_test("x", host_)), HasSubstr("third: expected 3"));
  EXPECT_THAT(host_.log(), testing::Contains("GET /second -> api.http"));
  EXPECT_FALSE(spec.run_test("one", host_).completed) << "a tuple of one is judged, too";
}

TEST_F(Rows, S1_44_S1_45_S1_48_StatusAndDurationAreNumbers) {
  answer(503);
  EXPECT_EQ(outcome("r = create()\n"
                    "assert_true(r.status in [503, 502])\nassert_true(r.status >= 500)\n"
                    "assert_true(r.duration_ms < 5000, \"should not hang\")\n"
                    "assert_eq(r.duration_ms, 20)"),
            "completed");
  answer(200);
  EXPECT_THAT(outcome("assert_true(create().status >= 500, \"should fail, not lie\")"),
              HasSubstr("should fail, not lie"));
}

TEST_F(Rows, S1_46_WhatTheProxyDidIsAnEventThatCanBeAskedFor) {
  const std::string asks =
      "assert_eventually(type=\"proxy\", within=\"1s\", where=lambda e:\n"
      "    \"INSERT\" in e.data.get(\"query\", \"\") and e.data.get(\"action\") == \"error\")\n";
  Event event = {.service = "api", .type = "proxy"};
  host_.happen(Event(event)
                   .set("query", std::string("INSERT INTO u"))
                   .set("action", std::string("forward")));
  host_.happen(Event(event).set("action", std::string("error")));
  EXPECT_THAT(outcome(asks), HasSubstr("no event matched")) << "nothing fired";
  host_.happen(
      Event(event).set("query", std::string("INSERT INTO u")).set("action", std::string("error")));
  EXPECT_EQ(outcome(asks), "completed");
}

TEST_F(Rows, S1_31_S1_32_S1_33_S2_21_FieldsOfAnEventAreTextAndCount) {
  const std::string body =
      "def look(event):\n"
      "    if event[\"type\"] == \"stdout\" and event.get(\"status\") == \"confirmed\":\n"
      "        assert_eq(event.get(\"persisted\"), \"true\")\n"
      "        assert_eq(event.get(\"nothing\"), None)\n"
      "        fail(\"order \" + event[\"order_id\"] + \" took \" +\n"
      "             str(int(event.get(\"duration_ms\", \"0\")) + 1))\n"
      "invariant(monitor(look, service=\"api\"))\n";
  Event event = {.service = "api", .type = "stdout"};
  host_.happen(event.set("data", model::Json{"{\"status\": \"confirmed\", \"persisted\": true, "
                                             "\"order_id\": 7, \"duration_ms\": 41}"}));
  EXPECT_THAT(outcome(body), HasSubstr("order 7 took 42"));
}

TEST_F(Rows, S2_6_S2_7_S2_11_S2_25_AMonitorIsAValueThatAnAssumptionCarries) {
  const std::string text =
      "def orphan(event):\n"
      "    if event[\"type\"] == \"topic\" and event.get(\"topic\") == \"created\":\n"
      "        fail(\"never: nothing has topics here\")\n"
      "    if event[\"type\"] == \"stdout\" and \"confirmed\" in event.get(\"body\", \"\"):\n"
      "        if len(events(where=lambda e: e.type == \"stdout\" and e.body == \"stored\")) == "
      "0:\n"
      "            fail(\"confirmed but not stored!\")\n"
      "check = monitor(orphan)\n"
      "f = fault_assumption(\"f\", target = db, write = deny(\"EIO\"),\n"
      "    monitors = [check], # in every test of it\n)\n"
      "fault_matrix(scenarios = [create], faults = [f], default_expect = lambda r: None)\n"
      "fault_scenario(\"free\", scenario = create, expect = lambda r: None)\n";
  host_.happen(Event{.service = "api", .type = "stdout"}.set("body", std::string("confirmed")));
  Spec& spec = load_whole(kSystem + text);
  EXPECT_THAT(told(spec.run_test("test_matrix_create_f", host_)),
              HasSubstr("orphan: confirmed but not stored!"));
  EXPECT_EQ(told(spec.run_test("free", host_)), "completed") << "it carries no monitor";
  host_.happen(Event{.service = "db", .type = "stdout"}.set("body", std::string("stored")));
  EXPECT_EQ(told(spec.run_test("test_matrix_create_f", host_)), "completed");
}

TEST_F(Rows, S2_26_AnIncidentIsReproducedAndItsMonitorStays) {
  const std::string text =
      "def lost(event):\n"
      "    if event.get(\"body\") == \"confirmed\" and not events(where = {\"body\": "
      "\"stored\"}):\n"
      "        fail(\"confirmed, not stored\")\n"
      "invariant(monitor(lost))\n"
      "died = fault_assumption(\"died\", target = db, write = deny(\"EIO\"))\n"
      "fault_scenario(\"incident_17\", scenario = create, faults = [died],\n"
      "               expect = lambda r: assert_true(r != None))\n";
  Spec& spec = load_whole(kSystem + text + test_of("create()"));
  const auto say = [this](const std::string& body) {
    host_.happen(Event{.service = "api", .type = "stdout"}.set("body", body));
  };
  say("confirmed");
  EXPECT_EQ(told(spec.run_test("incident_17", host_)), "lost: confirmed, not stored");
  EXPECT_EQ(told(spec.run_test("test_x", host_)), "lost: confirmed, not stored")
      << "it watches every other test as well";
  say("stored");
  EXPECT_EQ(told(spec.run_test("incident_17", host_)), "completed") << "the service is mended";
  EXPECT_EQ(told(spec.run_test("test_x", host_)), "completed");
}

TEST_F(Rows, S2_24_WhatIsViolatedIsCalledASafetyOrALivenessProperty) {
  const auto kind_of = [this](const std::string& text) {
    Spec& spec = load_whole(kSystem + text + test_of("health()"));
    const BodyResult result = spec.run_test("test_x", host_);
    const model::Finding& finding =
        result.violations.empty() ? result.finding.value() : result.violations[0];
    for (const std::string& line : finding.detail) {
      if (line.contains(" property: ")) return line.substr(0, line.find(" property"));
    }
    return std::string("none");
  };
  host_.happen(Event{.service = "api", .type = "stdout"}.set("body", std::string("lost")));
  EXPECT_EQ(kind_of("assert_never(where = {\"body\": \"lost\"})\n"), "a safety");
  EXPECT_EQ(kind_of("def f(event):\n    fail(\"x\")\ninvariant(monitor(f))\n"), "a safety");
  EXPECT_EQ(kind_of("assert_eventually(where = {\"body\": \"found\"})\n"), "a liveness");
  const auto kind_in_a_test = [&](const std::string& assertion) {
    const BodyResult result = load_whole(kSystem + test_of(assertion)).run_test("test_x", host_);
    return fmt::format("{}", fmt::join(result.finding.value().detail, "\n"));
  };
  EXPECT_THAT(kind_in_a_test("assert_never(where = {\"body\": \"lost\"})"),
              HasSubstr("a safety property"));
  EXPECT_THAT(kind_in_a_test("assert_eventually(where = {\"body\": \"found\"}, within = \"1s\")"),
              HasSubstr("a liveness property"));
}

TEST_F(Rows, S2_10_LivenessHasADeadlineOfItsOwn) {
  const std::string waits =
      "assert_eventually(type=\"stdout\", within=\"30s\", where=lambda e: e.body == \"retried\")\n";
  host_.happen_after(std::chrono::seconds(20),
                     Event{.service = "api", .type = "stdout"}.set("body", std::string("retried")));
  EXPECT_EQ(outcome(waits), "completed");
  EXPECT_THAT(outcome("assert_never(type=\"stdout\", where=lambda e: e.body == \"retried\")"),
              HasSubstr("assert_never"))
      << "safety looks at what happened";
}

TEST_F(Rows, S2_13_S2_15_AnswersOfParallelStandInTheOrderOfItsArguments) {
  host_.on_step = [](const StepCall& call) {
    const bool first = std::get<HttpStep>(call.step).path == "/1";
    return StepReply{.ok = first, .status = first ? 200 : 409};
  };
  EXPECT_EQ(outcome("results = parallel(\n    lambda: api.post(path=\"/1\", body=\"\"),\n"
                    "    lambda: api.post(path=\"/2\", body=\"\"),\n)\n"
                    "assert_eq([r.status for r in results], [200, 409])\n"
                    "assert_true(len([r for r in results if r.status == 200]) <= 1, \"both\")"),
            "completed");
}

}  // namespace
}  // namespace misrule::dsl
