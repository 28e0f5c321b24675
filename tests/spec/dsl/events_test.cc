// Events and their fields as specs see them: decision 18.

#include "tests/spec/dsl/spec_fixture.h"

namespace misrule::dsl {
namespace {

using model::Event;
using model::Json;

class Events : public SpecTest {
 protected:
  /// Runs `body` with `e` bound to the one event there is.
  std::string with_event(Event event, const std::string& body) {
    host_.happen(std::move(event));
    return outcome_of("e = events()[-1]\n" + body);
  }
};

Event step() {
  Event event{.time_ns = 5, .service = "test", .type = "step_recv"};
  event.set("to", std::string("api"))
      .set("status", std::int64_t{200})
      .set("ok", true)
      .set("error", nullptr)
      .set("path", std::string("/orders/7"))
      .set("share", 0.5)
      .set("data", Json{"[{\"n\": 1}]"});
  return event;
}

Event line() {
  Event event{.service = "api", .type = "stdout"};
  event.set("body", std::string("{\"action\": \"retry\"}"))
      .set("stream", std::string("stdout"))
      .set("data",
           Json{"{\"action\": \"retry\", \"status\": 200, \"order_id\": \"7\", \"stream\": \"x\", "
                "\"items\": [1, 2], \"gone\": null}"});
  return event;
}

TEST_F(Events, FieldsAreEqualToTheirTextAndToTheirValue) {
  EXPECT_EQ(with_event(step(),
                       "assert_true(e[\"status\"] == 200 and e[\"status\"] == \"200\")\n"
                       "assert_true(200 == e.status and \"200\" == e.status)\n"
                       "assert_true(e[\"status\"] != 201 and e[\"status\"] != \"201\")\n"
                       "assert_true(e.ok == True and e.ok == \"true\" and e.ok != \"false\")\n"
                       "assert_true(e.share == 0.5 and e.share == \"0.5\")\n"
                       "assert_true(e.error == None and e.error is None and not e.error)\n"
                       "assert_true(e.type == \"step_recv\" and e.service == \"test\")\n"
                       "assert_true(e.status in [200, 201] and e.status in [\"200\"])\n"
                       "assert_true(e.status == e.get(\"status\"))\n"
                       "assert_true(e.data.get(\"status\") == e[\"status\"])"),
            "completed");
}

TEST_F(Events, AFaultsOwnTraceIsSeenOnlyByWhoAsks) {
  Event injected = line();
  injected.set("injected", true);
  host_.happen(line());
  host_.happen(std::move(injected));
  EXPECT_EQ(outcome_of("def lines(where): return len(events(type = \"stdout\", where = where))\n"
                       "assert_eq(len(events(type = \"stdout\")), 1)\n"
                       "assert_eq(len(events()), 1)\n"
                       "assert_eq(lines(lambda e: \"retry\" in e.body), 1)\n"
                       "assert_eq(lines({\"body\": \"*retry*\"}), 1)\n"
                       "assert_eq(lines({\"body\": \"*retry*\", \"injected\": True}), 1)\n"
                       "assert_eq(lines(lambda e: e.get(\"injected\") or True), 2)\n"
                       "assert_eq(lines(lambda e: e.injected == True), 1)\n"
                       "assert_never(where = lambda e: e.number > 1 and \"retry\" in e.body)\n"
                       "assert_eventually(where = {\"injected\": True}, within = \"1s\")"),
            "completed");
}

TEST_F(Events, FieldsOrderByTheirValue) {
  EXPECT_EQ(with_event(step(),
                       "assert_true(e.status < 1000 and e.status >= 200)\n"
                       "assert_true(99 < e.status and e.share < 1)\n"
                       "assert_true(e.path < \"/p\" and e.path >= \"/orders\")"),
            "completed");
  const std::string outcome = with_event(step(), "e.status < \"1000\"");
  EXPECT_NE(outcome.find("not implemented"), std::string::npos) << outcome;
}

TEST_F(Events, FieldsAreTextWhereTextIsWanted) {
  EXPECT_EQ(with_event(step(),
                       "assert_eq(\"order \" + e.path, \"order /orders/7\")\n"
                       "assert_eq(e.status + \"!\", \"200!\")\n"
                       "assert_true(e.path.startswith(\"/orders\"))\n"
                       "assert_eq(e.path.split(\"/\")[-1], \"7\")\n"
                       "assert_true(\"orders\" in e.path and \"x\" not in e.path)\n"
                       "assert_eq(str(e.status), \"200\")\nassert_eq(str(e.error), \"\")\n"
                       "assert_eq(\"%s\" % e.path, \"/orders/7\")\n"
                       "assert_eq(len(e.path), 9)"),
            "completed");
}

TEST_F(Events, FieldsAreNumbersWhereNumbersAreWanted) {
  EXPECT_EQ(
      with_event(step(),
                 "assert_eq(int(e.status), 200)\nassert_eq(e.status + 1, 201)\n"
                 "assert_eq(1000 - e.status, 800)\nassert_eq(\"%d\" % e.status, \"200\")\n"
                 "assert_eq(int(e.get(\"duration_ms\", \"0\")), 0)\nassert_eq(e.status * 2, 400)"),
      "completed");
}

TEST_F(Events, PayloadsAreDecoded) {
  EXPECT_EQ(with_event(step(),
                       "assert_eq(e.data[\"data\"][0][\"n\"], 1)\n"
                       "assert_eq(e.data[\"status\"], 200)\nassert_eq(e[\"data\"], e.data)\n"
                       "assert_eq(e.get(\"data\")[0][\"n\"], 1)"),
            "completed");
}

TEST_F(Events, AJsonLinesMembersAreFieldsButItsOwnWin) {
  EXPECT_EQ(
      with_event(line(),
                 "assert_eq(e[\"action\"], \"retry\")\nassert_eq(e.action, \"retry\")\n"
                 "assert_eq(e.get(\"status\"), \"200\")\nassert_eq(e.data.get(\"status\"), 200)\n"
                 "assert_true(e[\"order_id\"] == 7 and e[\"order_id\"] == \"7\")\n"
                 "assert_eq(e[\"stream\"], \"stdout\")\nassert_eq(e.data[\"stream\"], \"x\")\n"
                 "assert_eq(e.data[\"body\"], e.body)\n"
                 "assert_true(\"retry\" in e.body)\n"
                 "assert_eq([i for i in e.items], [1, 2])\nassert_true(2 in e.items)\n"
                 "assert_eq(e.items[1], 2)\nassert_true(e.get(\"gone\") == None)\n"
                 "assert_eq(e.get(\"missing\"), None)\nassert_eq(e.get(\"missing\", 3), 3)\n"
                 "assert_true(e.data.get(\"missing\") == None)\n"
                 "assert_true(\"action\" in e and \"nothing\" not in e)"),
      "completed");
}

TEST_F(Events, AMissingFieldIsAnErrorThatListsWhatIsThere) {
  EXPECT_EQ(
      with_event(line(), "e[\"statsu\"]"),
      "5:5-16 stdout event has no field \"statsu\" (did you mean status?) [it has type, service, "
      "number, "
      "time_ns, source_time_ns, body, stream, data, action, status, order_id, stream, items, gone; "
      "event.get(\"x\") gives None for what is missing]");
  EXPECT_EQ(with_event(line(), "e.statsu").substr(0, 70),
            "5:7-13 stdout event has no .statsu (did you mean status?) [it has type");
}

TEST_F(Events, AFieldOfAnotherTypeReadsAsEmpty) {
  EXPECT_EQ(with_event(line(),
                       "assert_true(not e.decision.startswith(\"deny\"))\n"
                       "assert_true(e.query == None and not e.query)\n"
                       "assert_eq(e.get(\"decision\"), None)"),
            "completed");
}

TEST_F(Events, LineThatIsNoJsonIsText) {
  Event event{.service = "api", .type = "stdout"};
  event.set("body", std::string("order confirmed")).set("stream", std::string("stdout"));
  EXPECT_EQ(
      with_event(event,
                 "assert_true(\"confirmed\" in e.get(\"body\", \"\"))\n"
                 "assert_eq(e.data, {\"body\": \"order confirmed\", \"stream\": \"stdout\"})"),
      "completed");
}

TEST_F(Events, FieldsAreNoKeys) {
  const std::string outcome = with_event(step(), "{e.path: 1}");
  EXPECT_NE(outcome.find("unhashable"), std::string::npos) << outcome;
}

}  // namespace
}  // namespace misrule::dsl
