// What service(), interface(), healthchecks, env() and scenario() make, and what they refuse.

#include <cstdlib>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using Topology = SpecTest;

TEST_F(Topology, EveryArgumentArrives) {
  write_file("schema.sql", "CREATE TABLE t ();");
  const Spec& spec = load_whole(R"(
db = service("db",
    interface("main", "postgres", 5432),
    image = "postgres:16",
    env = {"POSTGRES_PASSWORD": "test"},
    healthcheck = tcp("localhost:5432", timeout = "5s"),
    seed = "schema.sql",
    intercept = ["fsync"],
)
def fill():
    pass
api = service("api", interface("public", "http", 8080), interface("admin", "tcp", 8081),
    binary = "./api.py", args = ["-v"], cwd = "work", user = "nobody",
    env = {"DB": "postgres://" + db.main.internal_addr + "/x", "A": db.main.proxy_addr},
    depends_on = [db], healthcheck = http("localhost:8080/health"), restart = "never",
    seed = fill, reset = fill)
)");
  ASSERT_EQ(spec.topology().services.size(), 2U);
  const model::Service& db = spec.topology().services[0];
  EXPECT_EQ(db.image, "postgres:16");
  EXPECT_EQ(db.interfaces[0].protocol, model::Protocol::kPostgres);
  EXPECT_EQ(db.healthcheck.kind, model::Healthcheck::Kind::kTcp);
  EXPECT_EQ(db.healthcheck.port, 5432);
  EXPECT_EQ(db.healthcheck.timeout, std::chrono::seconds(5));
  EXPECT_EQ(db.seed->sql_file, folder_ + "/schema.sql");
  EXPECT_EQ(db.intercept, std::vector<std::string>{"fsync"});
  EXPECT_EQ(db.position.line, 2U);
  EXPECT_EQ(db.interfaces[0].position.line, 3U);
  EXPECT_EQ(db.restart, model::Restart::kAfterFault);
  const model::Service& api = spec.topology().services[1];
  EXPECT_EQ(api.binary, "./api.py");
  EXPECT_EQ(api.args, std::vector<std::string>{"-v"});
  EXPECT_EQ(api.cwd, "work");
  EXPECT_EQ(api.user, "nobody");
  EXPECT_EQ(api.env[0].second, "postgres://localhost:5432/x");
  EXPECT_EQ(api.env[1].second, "localhost:5432");
  EXPECT_EQ(api.depends_on, std::vector<std::string>{"db"});
  EXPECT_EQ(api.healthcheck.kind, model::Healthcheck::Kind::kHttp);
  EXPECT_EQ(api.healthcheck.path, "/health");
  EXPECT_EQ(api.restart, model::Restart::kNever);
  EXPECT_EQ(api.seed->callable, std::optional<std::size_t>(0));
  EXPECT_EQ(api.reset->callable, std::optional<std::size_t>(0));
  EXPECT_FALSE(db.reset.has_value());
}

constexpr std::pair<const char*, const char*> kMistakes[] = {
    {"service(\"x\", image = \"i\", binry = \"b\")",
     "3:27-38 service: unexpected keyword argument \"binry\" (did you mean binary?) [it takes "
     "image, "
     "build, remote, binary, args, env, cwd, user, depends_on, healthcheck, seed, reset, restart, "
     "intercept, observe]"},
    {"service(\"x\")",
     "3:1-8 service: \"x\" does not say what runs [image=, binary=, build= or remote=]"},
    {"service(\"x\", image = \"i\", binary = \"b\")",
     "3:1-8 service: \"x\" says image= and binary=: one of them [image=, binary=, build= or "
     "remote=]"},
    {"service(\"x\", image = \"\")", "3:22-24 service: image= is empty"},
    {"service(image = \"i\")", "3:1-8 service: the first argument is the service's name"},
    {"service(\"api\", binary = \"b\")", "3:9-14 service: \"api\" is declared twice"},
    {"service(\"test\", binary = \"b\")",
     "3:9-15 service: \"test\" is what events call the test itself"},
    {"service(\"x\", \"y\", binary = \"b\")",
     "3:14-17 service: got string, want interface(name, protocol, port)"},
    {"service(\"x\", interface(\"a\", \"tcp\", 5432), binary = \"b\")",
     "3:14-41 service: port 5432 is taken by postgres.main [every test has one network in which "
     "each "
     "port stands for one interface; give one of them another port]"},
    {"service(\"x\", interface(\"a\", \"tcp\", 1), interface(\"a\", \"tcp\", 2), binary = \"b\")",
     "3:40-64 service: two interfaces are called \"a\""},
    {"interface(\"a\", \"postgre\", 1)",
     "3:16-25 interface: unknown protocol \"postgre\" (did you mean postgres?) [protocols: "
     "postgres, "
     "http, redis, tcp]"},
    {"interface(\"a\", \"kafka\", 1)",
     "3:16-23 interface: protocol \"kafka\" is not in this version yet [\"tcp\" carries it "
     "undecoded: "
     "connections, delays and drops, no messages]"},
    {"interface(\"a\", \"tcp\", 0)", "3:23-24 interface: port 0 is not between 1 and 65535"},
    {"interface(\"post\", \"http\", 80)", "3:11-17 interface: \"post\" is the name of a step"},
    {"tcp(\"localhost\")",
     "3:5-16 tcp: \"localhost\" is not host:port [such as \"localhost:5432\"]"},
    {"http(\"http://localhost:80/x\")",
     "3:6-29 http: \"http://localhost:80/x\" is not host:port (no scheme) [such as "
     "\"localhost:8080/health\"]"},
    {"tcp(\"localhost:80/x\")", "3:5-21 tcp: a path needs http(...)"},
    {"service(\"x\", binary = \"b\", restart = \"alway\")",
     "3:38-45 service: unknown restart=\"alway\" (did you mean always?) [one of after_fault, "
     "never, "
     "always]"},
    {"service(\"x\", binary = \"b\", intercept = [\"fsyncs\"])",
     "3:40-50 service: \"fsyncs\" is no family of system calls (did you mean fsync?) [families: "
     "connect, read, write, fsync, open]"},
    {"service(\"x\", binary = \"b\", seed = \"schema.txt\")",
     "3:35-47 service: seed= is an .sql file or a function without parameters"},
    {"service(\"x\", binary = \"b\", seed = lambda a: a)",
     "3:35-46 service: seed= wants a function without parameters"},
    {"service(\"x\", binary = \"b\", reset = lambda a: a)",
     "3:36-47 service: reset= wants a function without parameters"},
    {"service(\"x\", binary = \"b\", reset = \"x.txt\")",
     "3:36-43 service: reset= is an .sql file or a function without parameters"},
    {"service(\"x\", binary = \"b\", env = [1])",
     "3:34-37 service: for parameter \"env\": got list, want dict of strings"},
    {"service(\"x\", binary = \"b\", depends_on = [1])",
     "3:41-44 service: depends_on holds int, want services"},
    {"service(\"x\", binary = \"b\", depends_on = [\"apy\"])",
     "3:41-48 service \"x\" depends on \"apy\", which is not declared (did you mean api?) "
     "[services: "
     "postgres, api, x]"},
    {"service(\"x\", binary = \"b\", observe = [1])",
     "3:38-41 service: observe holds int, want stdout(), file(), wal_stream() … [lines that the "
     "service prints are "
     "events without it]"},
    {"service(\"x\", binary = \"b\", observe = [wal_stream()])",
     "3:38-52 service: wal_stream() is for PostgreSQL, and \"x\" has no such interface"},
    {"service(\"x\", binary = \"b\", observe = [wal_stream(), wal_stream()])",
     "3:38-66 service: observe holds two wal_stream(): one tells all tables"},
    {"wal_stream(tables = [\"\"])", "3:21-25 wal_stream: tables= holds an empty name"},
    {"wal_stream(columns = 1)",
     "3:22-23 wal_stream: for parameter \"columns\": got int, want list of strings"},
    {"wal_stream(decoder = \"json\")",
     "3:22-28 wal_stream: for parameter \"decoder\": got string, want decoder"},
    {"decoder(\"jsno\")",
     "3:1-16 decoder: unknown decoder \"jsno\" (did you mean json?) [decoders: json, logfmt, "
     "regex, line]"},
    {"decoder(\"regex\", pattern = \"(\")",
     "3:28-31 decoder: pattern=: missing ): ( [the syntax is RE2's]"},
    {"decoder(\"regex\", pattern = \"a\")",
     "3:28-31 decoder: the pattern has no named group: no field would come of it "
     "[(?P<status>[0-9]+) makes a field \"status\"]"},
    {"decoder(\"regex\")", "3:1-8 decoder: decoder(\"regex\") wants pattern="},
    {"decoder(\"json\", pattern = \"a\")", "3:1-8 decoder: \"json\" takes no pattern="},
    {"wal_stream(decoder = decoder(\"line\"))",
     "3:22-37 wal_stream: wal_stream() decodes columns of text as JSON, and nothing else [decoder "
     "= json_decoder()]"},
    {"file(\"\")", "3:1-5 file: the path is empty"},
    {"tail_http(\"http://example.org/x\")",
     "3:1-10 tail_http: \"http://example.org/x\" is no address of the service [such as "
     "\"/events\", or \"http://localhost:8080/events\"]"},
    {"tail_http(\"https://localhost/x\")",
     "3:1-10 tail_http: \"https://localhost/x\" is no address of the service [such as "
     "\"/events\", or \"http://localhost:8080/events\"]"},
    {"service(\"x\", binary = \"b\", observe = [tail_http(\"/x\")])",
     "3:38-55 service: tail_http(\"/x\") says no port, and \"x\" has no http interface "
     "[tail_http(\"http://localhost:8080/events\")]"},
    {"poll(\"x\", len, every = \"1us\")", "3:24-29 poll: every= is below 1ms"},
    {"poll(\"x\", lambda a: a)", "3:1-5 poll: fn is a function without parameters"},
    {"pubsub(\"\")", "3:1-7 pubsub: the channel is empty"},
    {"keyspace(keys = [\"\"])", "3:17-21 keyspace: keys= holds an empty name"},
    {"service(\"x\", binary = \"b\", observe = [keyspace()])",
     "3:38-50 service: keyspace() is for Redis, and \"x\" has no such interface"},
    {"service(\"x\", binary = \"b\", observe = [stdout(), observe.stdout()])",
     "3:38-66 service: observe holds stdout() twice"},
    {"service(\"x\", binary = \"b\", observe = [file(\"a\"), file(\"a\")])",
     "3:38-60 service: observe holds file(\"a\") twice"},
    {"service(\"x\", interface(\"h\", \"http\", 99), remote = \"h:1\", observe = [stderr()])",
     "3:68-78 service: stderr() is of a service that runs here, and \"x\" is remote"},
    {"scenario(lambda: 1)",
     "3:10-19 scenario: wants a def without parameters: its name is the scenario's name"},
    {"env(\"MISRULE_NEVER_SET\")",
     "3:5-24 env: MISRULE_NEVER_SET is not set [--set MISRULE_NEVER_SET=..., or "
     "env(\"MISRULE_NEVER_SET\", \"default\")]"},
    {"api.post(path = \"/\")", "3:5-9 post cannot be called at the top level of a spec"},
    {"fault(api, connect = deny(\"EIO\"), run = len)",
     "3:1-6 fault cannot be called at the top level of a spec"},
};

TEST_F(Topology, MistakesInDeclarationsAreShownWhereTheyStand) {
  for (const auto& [text, problem] : kMistakes) {
    EXPECT_EQ(only_problem(std::string(text) + "\n"), problem) << text;
  }
}

// S1-8: which tables and columns are told; the decoder is the same by both names.
TEST_F(Topology, ADatabaseCanBeObserved) {
  const auto wanted = [&](const std::string& arguments) {
    const Spec& spec = load_whole(
        "db = service(\"db\", interface(\"pg\", \"postgres\", 5432), image = \"postgres:16\",\n"
        "             observe = [wal_stream(" +
        arguments + ")])\ndef test_x():\n    events(type = \"wal\", service = db)\n");
    return spec.topology().find_service("db")->wal_stream.value();
  };
  EXPECT_TRUE(wanted("").tables.empty());
  EXPECT_EQ(wanted("tables = [\"orders\"]").tables, std::vector<std::string>{"orders"});
  EXPECT_EQ(wanted("columns = [\"id\"]").columns, std::vector<std::string>{"id"});
  EXPECT_FALSE(wanted("").decode_json);
  EXPECT_TRUE(wanted("decoder = json_decoder()").decode_json);
  EXPECT_TRUE(wanted("decoder = decoder(\"json\")").decode_json);
}

TEST_F(Topology, ObserversAreTheSameByBothNames) {
  const Spec& spec = load_whole(
      "d = decoder(\"regex\", pattern = \"(?P<n>[0-9]+)\")\n"
      "a = service(\"a\", binary = \"b\", observe = [stdout(decoder = d), stderr(),\n"
      "            file(\"x.log\", decoder = decoder(\"logfmt\"))])\n"
      "b = service(\"b\", binary = \"b\", observe = [observe.stdout(d), observe.stderr(),\n"
      "            observe.file(\"x.log\", decoder(\"logfmt\"))])\n"
      "def test_x():\n    events(type = \"file\", service = b)\n");
  for (const char* name : {"a", "b"}) {
    const auto& observed = spec.topology().find_service(name)->observed;
    ASSERT_EQ(observed.size(), 3U);
    EXPECT_EQ(std::get<model::PrintedLines>(observed[0]).decoder.pattern, "(?P<n>[0-9]+)");
    EXPECT_EQ(std::get<model::PrintedLines>(observed[1]).stream, "stderr");
    const auto& file = std::get<model::WrittenFile>(observed[2]);
    EXPECT_EQ(file.path, "x.log");
    EXPECT_EQ(file.decoder.kind, model::LineDecoder::Kind::kLogfmt);
  }
}

TEST_F(Topology, APolledFunctionAsksAndDoesNothingElse) {
  const auto polled = [&](const std::string& body) {
    load("def ask():\n    " + body +
         "\nled = service(\"led\", binary = \"b\", observe = [poll(\"n\", ask, every = \"2ms\")])\n"
         "def test_x():\n    pass\n");
    const auto& wanted =
        std::get<model::PolledValue>(spec_->topology().find_service("led")->observed.front());
    EXPECT_EQ(wanted.every, std::chrono::milliseconds(2));
    const auto value = spec_->run_poll(wanted.callable, host_);
    const auto failures = spec_->take_poll_failures();
    EXPECT_EQ(failures.size(), value ? 0U : 1U);
    if (!value) return shown(failures.front());
    return *value;
  };
  EXPECT_EQ(polled("return {\"n\": api.get(path = \"/\").status}"), R"({"n":200})");
  EXPECT_EQ(polled("return None"), "null");
  EXPECT_NE(polled("return 1 // 0").find("division"), std::string::npos);
  EXPECT_NE(polled("assert_eq(1, 2)").find("expected 2, got 1"), std::string::npos);
  EXPECT_NE(polled("return events(type = \"stdout\")").find("has no place in a function"),
            std::string::npos);
  EXPECT_NE(polled("return ask").find("poll: "), std::string::npos);
}

TEST_F(Topology, EventsOfASourceThatNobodyAskedForAreAMistake) {
  EXPECT_EQ(only_problem("def test_x():\n    events(type = \"file\")\n"),
            "4:19-25 this filter matches nothing: no source of this spec produces \"file\" events "
            "[give the service observe=[file(path)]]");
}

TEST_F(Topology, RowsOfAServiceThatIsNotObservedAreAMistake) {
  EXPECT_EQ(
      problems_whole("a = service(\"a\", interface(\"pg\", \"postgres\", 5432), image = \"p\",\n"
                     "            observe = [wal_stream()])\n"
                     "b = service(\"b\", binary = \"b\")\n"
                     "def test_x():\n    events(type = \"wal\", service = \"b\")\n"),
      std::vector<std::string>{"5:36-39 this filter matches nothing: service \"b\" has no wal "
                               "events [give it observe=[wal_stream()]]"});
}

TEST_F(Topology, AMissingSeedFileSaysWhereItWasLookedFor) {
  const std::string problem = only_problem("service(\"x\", binary = \"b\", seed = \"no.sql\")\n");
  EXPECT_EQ(problem,
            "3:35-43 service: seed= \"no.sql\": there is no such file [paths are relative to the "
            "spec's folder, " +
                folder_ + "]");
}

TEST_F(Topology, DependsOnCannotGoInACircle) {
  EXPECT_EQ(only_problem("service(\"a\", binary = \"x\", depends_on = [\"b\"])\n"
                         "service(\"b\", binary = \"x\", depends_on = [\"c\"])\n"
                         "service(\"c\", binary = \"x\", depends_on = [\"b\"])\n"),
            "4:1-47 depends_on goes in a circle: b -> c -> b [none of them could start first]");
}

TEST_F(Topology, EnvLooksAtSetFirst) {
  ::setenv("MISRULE_TEST_A", "machine", 1);
  ::setenv("MISRULE_TEST_B", "machine", 1);
  options_.set = {{"MISRULE_TEST_A", "set"}};
  load(
      "print(env(\"MISRULE_TEST_A\"), env(\"MISRULE_TEST_B\", \"d\"), env(\"MISRULE_TEST_C\", "
      "\"d\"))\n"
      "print(env(\"MISRULE_TEST_C\", None))\n");
  EXPECT_EQ(printed_, (std::vector<std::string>{"set machine d", "None"}));
}

std::vector<std::string> notes_of(const Spec& spec) {
  std::vector<std::string> notes;
  notes.reserve(spec.notes().size());
  for (const Problem& note : spec.notes()) notes.push_back(note.finding.message);
  return notes;
}

TEST_F(Topology, AScenarioThatNothingUsesIsANote) {
  const Spec& spec = load(
      "def a():\n    pass\nscenario(a)\ndef b():\n    pass\nscenario(b)\n"
      "def test_b():\n    b()\n");
  EXPECT_EQ(notes_of(spec),
            std::vector<std::string>{"scenario a is used by nothing and does not run"});
  EXPECT_EQ(spec.tests().size(), 1U);
}

TEST_F(Topology, S0_7_S1_1_S1_10_ADsnThatNamesWhatNobodyCreatesIsANote) {
  const auto notes = [&](const std::string& dsn, const std::string& env = "") {
    return notes_of(
        load_whole("db = service(\"db\", interface(\"pg\", \"postgres\", 5432), image = "
                   "\"postgres:16\", env = {" +
                   env +
                   "})\n"
                   "service(\"api\", binary = \"b\", env = {\"URL\": \"" +
                   dsn + "\"})\n"));
  };
  EXPECT_EQ(
      notes("postgres://test@localhost:5432/testdb"),
      std::vector<std::string>{
          "URL names role \"test\" and database \"testdb\", which the env of db does not create"});
  EXPECT_EQ(
      notes("postgres://postgres:x@localhost:5432/shop"),
      std::vector<std::string>{"URL names database \"shop\", which the env of db does not create"});
  EXPECT_EQ(notes("postgresql://a@localhost:5432/postgres"),
            std::vector<std::string>{"URL names role \"a\", which the env of db does not create"});
  EXPECT_EQ(
      notes("postgres://postgres:x@localhost:5432/shop?a=b", "\"POSTGRES_DB\": \"shop\"").size(),
      0U);
  EXPECT_EQ(notes("postgres://a@localhost:5432/a", "\"POSTGRES_USER\": \"a\"").size(), 0U);
  EXPECT_EQ(notes("postgres://a@elsewhere:9999/a").size(), 0U);
}

TEST_F(Topology, TestsAreDefsNamedSo) {
  const Spec& spec = load(
      "def test_b():\n    \"\"\"First\n    paragraph.\n\n    Second.\n    \"\"\"\n"
      "def helper():\n    pass\ndef test_a():\n    pass\ntest_data = [1]\n");
  ASSERT_EQ(spec.tests().size(), 2U);
  EXPECT_EQ(spec.tests()[0].name, "test_b");
  EXPECT_EQ(spec.tests()[0].description, "First paragraph.");
  EXPECT_EQ(spec.tests()[0].position.line, 3U);
  EXPECT_EQ(spec.tests()[1].name, "test_a");
  EXPECT_EQ(only_problem("def test_x(a):\n    pass\n"),
            "3:5-11 test_x: a test is a def without parameters");
}

TEST_F(Topology, TwoTestsOfOneNameAreAnErrorAndAReboundNameIsANote) {
  const std::string problem = only_problem("def test_x():\n    pass\ndef test_x():\n    pass\n");
  EXPECT_TRUE(problem.starts_with("5:5-11 ")) << problem;
  EXPECT_EQ(notes_of(load("x = 1\nx = 2\n")).size(), 1U);
}

TEST_F(Topology, LoadedFilesDeclareToo) {
  write_file("lib.star",
             "cache = service(\"cache\", interface(\"main\", \"tcp\", 6379), binary = \"c\")\n"
             "def test_not_here():\n    pass\n");
  const Spec& spec = load("load(\"lib.star\", \"cache\")\n");
  EXPECT_NE(spec.topology().find_service("cache"), nullptr);
  EXPECT_TRUE(spec.tests().empty());
}

TEST_F(Topology, AMissingSpecIsAProblem) {
  const auto loaded = Spec::load(folder_ + "/none.star", options_);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().front().finding.message.find("there is no such file"), std::string::npos)
      << loaded.error().front().finding.message;
}

TEST_F(Topology, ServicesSayWhatTheyHave) {
  load("print(api, db.main, api.public.port, db.main.protocol, db.main.name)\n");
  EXPECT_EQ(printed_,
            std::vector<std::string>{"<service api> <interface postgres.main> 8080 postgres main"});
  EXPECT_EQ(only_problem("api.pubic\n"),
            "3:5-10 service \"api\" has no .pubic (did you mean public?) [it has public, delete, "
            "get, head, patch, "
            "post, put]");
  EXPECT_EQ(only_problem("db.main.get\n"),
            "3:9-12 postgres.main speaks postgres, which has no .get() [it has internal_addr, "
            "name, port, "
            "protocol, proxy_addr, exec, query]");
}

}  // namespace
}  // namespace misrule::dsl
