// What actions and their matches become in the model, and what is wrong with them at load.

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

class Actions : public SpecTest {
 protected:
  /// What the rule says beyond its id, target and position.
  model::Rule made_by(const std::string& target, const std::string& action) {
    host_.armed.clear();
    EXPECT_EQ(outcome_of("fault(" + target + ", " + action + ", run = lambda: None)"), "completed")
        << action;
    if (host_.armed.empty()) return {};
    model::Rule rule = host_.armed[0].at(0);
    rule.clear_id();
    rule.clear_target();
    rule.clear_position();
    return rule;
  }
};

struct Form {
  const char* target;
  const char* action;
  const char* rule;
};

constexpr Form kForms[] = {
    {"db",
     "respond(query = \"SELECT*\", rows = [{\"b\": 1, \"a\": None}, {\"a\": 2.5, \"b\": \"x\"}])",
     "postgres { query: 'SELECT*' } respond { columns: 'b' columns: 'a' "
     "rows { values { number_value: 1 } values { null_value: NULL_VALUE } } "
     "rows { values { string_value: 'x' } values { number_value: 2.5 } } }"},
    {"db", "respond(query = \"INSERT*\", tag = \"INSERT 0 1\")",
     "postgres { query: 'INSERT*' } respond { tag: 'INSERT 0 1' }"},
    {"api", "respond(path = \"/x\", status = 201, body = \"{}\", headers = {\"x-a\": \"1\"})",
     "http { path: '/x' } respond { status: 201 body: '{}' headers { key: 'x-a' value: '1' } }"},
    {"db", "rewrite(table = \"orders\", columns = {\"price\": 0, \"note\": None})",
     "postgres { table: 'orders' } rewrite { columns { key: 'price' value { number_value: 0 } } "
     "columns { key: 'note' value { null_value: NULL_VALUE } } }"},
    {"api",
     "rewrite(host = \"h\", body = {\"$.a[0]\": [1, True]}, headers = {\"etag\": None}, "
     "status = 404, decode = True)",
     "http { host: 'h' } rewrite { body { key: '$.a[0]' value { list_value { "
     "values { number_value: 1 } values { bool_value: true } } } } "
     "headers { key: 'etag' value { null_value: NULL_VALUE } } status: 404 decode: true }"},
    {"db", "duplicate(statement = \"INSERT\", schema = \"s\", column = \"c\")",
     "postgres { statement: 'INSERT' schema: 's' column: 'c' } duplicate {}"},
    {"db", "corrupt(query_regex = \"a+\", bytes = 3, framing = True, side = \"reply\")",
     "postgres { query_regex: 'a+' } corrupt { bytes: 3 framing: true side: 'reply' }"},
    {"api", "truncate(method = \"GET\", bytes = 0, side = \"request\")",
     "http { method: 'GET' } truncate { bytes: 0 side: 'request' }"},
    {"db", "hold(prepared = \"p\", params = {1: \"7*\", 2: 8})",
     "postgres { prepared: 'p' params { key: '1' value: '7*' } params { key: '2' value: '8' } } "
     "hold {}"},
    {"db", "reset(moment = \"idle\", side = \"reply\")",
     "postgres { moment: 'idle' } drop { reset: true side: 'reply' }"},
    {"db", "close()", "postgres {} drop {}"},
    {"db", "throttle(\"1KiB/s\", direction = \"to_client\")",
     "link { bandwidth: 1024 direction: 'to_client' }"},
    {"db", "error(moment = \"startup\", code = \"53300\")",
     "postgres { moment: 'startup' } error { code: '53300' }"},
    {"db", "error(query = \"x\", code = \"40001\", after_rows = 10)",
     "postgres { query: 'x' } error { code: '40001' after_rows: 10 }"},
    {"api",
     "delay(\"1ms\", header = {\"x-tenant\": \"acme*\"}, query = {\"id\": 7}, "
     "request_body = \"*a*\", reply_status = 503)",
     "http { headers { key: 'x-tenant' value: 'acme*' } query { key: 'id' value: '7' } "
     "body: '*a*' reply_status: '503' } delay { duration_us: 1000 }"},
    {"api", "drop(websocket = \"*\", direction = \"to_client\")",
     "http { websocket: '*' direction: 'to_client' } drop {}"},
    {"api", "drop(sse = \"*\")", "http { sse: '*' } drop {}"},
    {"db", "respond(command = \"GET\", value = None)",
     "redis { command: 'GET' } respond { value { null_value: NULL_VALUE } }"},
    {"db", "respond(key = \"k\", value = {\"a\": [1]})",
     "redis { key: 'k' } respond { value { struct_value { fields { key: 'a' value { "
     "list_value { values { number_value: 1 } } } } } } }"},
    {"db", "rewrite(db = 1, args = [\"a*\", None, \"c\"], value = \"v\")",
     "redis { db: '1' args { key: '1' value: 'a*' } args { key: '3' value: 'c' } } "
     "rewrite { value { string_value: 'v' } }"},
    {"db", "drop(channel = \"news.*\", per = \"key\", every = 2)",
     "redis { channel: 'news.*' } drop {} trigger { per: 'key' every: 2 }"},
    {"db", "drop(per = \"transaction\", nth = 2, window = (\"1s\", \"2500ms\"))",
     "postgres {} drop {} trigger { per: 'transaction' nth: 2 window_from_us: 1000000 "
     "window_to_us: 2500000 }"},
    {"db", "drop(per = \"connection\", window = [\"0s\", None])",
     "postgres {} drop {} trigger { per: 'connection' window_from_us: 0 }"},
};

TEST_F(Actions, BecomeRulesOfTheModel) {
  for (const Form& form : kForms) {
    model::Rule wanted;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(form.rule, &wanted)) << form.rule;
    const model::Rule rule = made_by(form.target, form.action);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(rule, wanted))
        << form.action << "\n"
        << rule.ShortDebugString();
  }
}

constexpr std::pair<const char*, const char*> kMistakes[] = {
    {"respond(rows = 1)", "rows= is a list of dicts, by column"},
    {"respond(rows = [{\"a\": 1}, {\"b\": 1}])", "every row has the columns of the first"},
    {"respond(rows = [{\"a\": 1}, {\"a\": 1, \"b\": 1}])",
     "every row has the columns of the first"},
    {"respond(rows = [{\"a\": 9007199254740993}])", "that JSON cannot hold exactly"},
    {"respond(status = 99)", "status=99 is no HTTP status"},
    {"respond(headers = {\"a\": 1})", "a header's value is a string"},
    {"rewrite(columns = [1])", "columns= is a dict, not a list"},
    {"corrupt(bytes = 0)", "bytes=0 is less than 1"},
    {"truncate()", "missing argument for bytes"},
    {"hold(side = \"left\")", "unknown side=\"left\""},
    {"hold(params = \"x\")", "want a dict of patterns"},
    {"hold(query = 7)", "want a statement's pattern, or a dict of an URL's parameters"},
    {"hold(moment = \"idel\")", "unknown moment=\"idel\" (did you mean idle?)"},
    {"hold(per = \"row\")", "unknown per=\"row\""},
    {"hold(window = (\"2s\", \"1s\"))", "window= ends before it begins"},
    {"hold(window = \"2s\")", "window= is two times from the start of the test"},
    {"hold(table = \"t\", channel = \"c\")", "table= is for postgres, channel= is for redis"},
    {"reset(nothing = 1)", "unexpected keyword argument \"nothing\""},
    {"throttle(0)", "want rate such as"},
};

TEST_F(Actions, SayWhatIsWrongAtLoad) {
  for (const auto& [action, problem] : kMistakes) {
    const std::string text =
        "def test_x():\n    fault(db, " + std::string(action) + ", run = f)\ndef f():\n    pass\n";
    EXPECT_THAT(only_problem(text), testing::HasSubstr(problem)) << action;
  }
}

using Release = Actions;

TEST_F(Release, LetsGoAndSaysHowMuch) {
  host_.release_result = 2;
  EXPECT_EQ(outcome_of("assert_eq(release(\"slow\"), 2)"), "completed");
  EXPECT_EQ(host_.log(), (std::vector<std::string>{"release slow"}));
}

TEST_F(Release, FailsIfNothingIsHeldInTime) {
  host_.release_result = 0;
  EXPECT_THAT(outcome_of("release(\"slow\", within = \"30ms\")"),
              testing::HasSubstr("nothing was held by \"slow\" within 0.03 s"));
}

TEST_F(Release, OfARuleThatIsNotArmedIsTheSpecsError) {
  host_.release_result = fail(Code::kInvalid, "no armed rule has the label \"slow\"");
  EXPECT_THAT(outcome_of("release(\"slow\")"), testing::HasSubstr("no armed rule has the label"));
}

}  // namespace
}  // namespace misrule::dsl
