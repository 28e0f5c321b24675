// A project as a spec: names, order, hosts.

#include "controller/starter/spec_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using testing::HasSubstr;
using testing::Not;

StarterService http(const std::string& name, std::uint16_t port) {
  return {.name = name, .protocol = "http", .ports = {port}, .image = name};
}

std::string spec_of(StarterProject project) {
  prepare_for_spec(project);
  return starter_spec(project);
}

TEST(SpecText, WhatIsNeededIsDeclaredFirst) {
  StarterProject project = {.services = {http("front", 1), http("back-end", 2), http("http", 3)}};
  project.services[0].depends_on = {"back-end", "nowhere"};
  project.services[1].env = {{"LOG_URL", "http://http:3/in"}};
  const std::string spec = spec_of(project);
  EXPECT_LT(spec.find("http_service = service(\"http\""), spec.find("back_end = service("));
  EXPECT_LT(spec.find("back_end = service("), spec.find("front = service("));
  EXPECT_THAT(spec, HasSubstr("depends_on = [back_end],"));
  EXPECT_THAT(spec, HasSubstr("\"http://\" + http_service.main.internal_addr + \"/in\""));
}

TEST(SpecText, HostsAreReplacedWhereTheyAreHosts) {
  StarterProject project = {.services = {http("db", 5), http("api", 1)}};
  project.services[1].env = {{"A", "x://u:p@db/db"}, {"B_HOST", "db"},   {"USER", "db"},
                             {"C", "mydb:5 db-1:5"}, {"D", "db:5,db:5"}, {"E", "http://db/a/db:x"}};
  const std::string spec = spec_of(project);
  EXPECT_THAT(spec, HasSubstr("\"A\": \"x://u:p@\" + \"localhost\" + \"/db\""));
  EXPECT_THAT(spec, HasSubstr("\"B_HOST\": \"localhost\""));
  EXPECT_THAT(spec, HasSubstr("\"USER\": \"db\""));
  EXPECT_THAT(spec, HasSubstr("\"C\": \"mydb:5 db-1:5\""));
  EXPECT_THAT(spec, HasSubstr("\"D\": db.main.internal_addr + \",\" + db.main.internal_addr"));
  EXPECT_THAT(spec, HasSubstr("\"E\": \"http://\" + \"localhost\" + \"/a/db:x\""));
}

TEST(SpecText, AnAssumptionOfSeveralConsumersIsNamedAfterEach) {
  StarterProject project = {.services = {http("db", 5), http("a", 1), http("b", 2)}};
  project.services[1].depends_on = {"db"};
  EXPECT_THAT(spec_of(project), HasSubstr("db_down = fault_assumption(\"db_down\""));
  project.services[2].depends_on = {"db"};
  const std::string spec = spec_of(project);
  EXPECT_THAT(spec, HasSubstr("\na_db_down = "));
  EXPECT_THAT(spec, HasSubstr("\nb_db_slow = "));
  EXPECT_THAT(spec, Not(HasSubstr("\ndb_down")));
}

TEST(SpecText, S1_49_EachThingThatIsNeededMayBeDownSlowOrInError) {
  StarterProject project = {.services = {http("db", 5), http("a", 1)}};
  project.services[1].depends_on = {"db"};
  EXPECT_THAT(spec_of(project), HasSubstr("faults = [db_down, db_slow, db_error],"));
}

TEST(SpecText, ACircleIsBroken) {
  StarterProject project = {.services = {http("a", 1), http("b", 2)}};
  project.services[0].env = {{"B", "http://b:2/"}};
  project.services[1].env = {{"A", "http://a:1/"}};
  const std::string spec = spec_of(project);
  EXPECT_THAT(spec, HasSubstr("\"B\": \"http://\" + \"localhost:2\" + \"/\""));
  EXPECT_THAT(spec, HasSubstr("\"A\": \"http://\" + a.main.internal_addr + \"/\""));
}

TEST(SpecText, WhatNobodyKnowsHowToRunHasAPlaceInTheProjectFile) {
  StarterProject project = {.services = {http("a", 1), http("b", 2)}};
  EXPECT_EQ(starter_project_file(project), "");
  project.services[0].wants_stand_in = true;
  project.services[1].wants_stand_in = true;
  project.services[1].command = {"run", "it \"now\""};
  const std::string file = starter_project_file(project);
  EXPECT_THAT(file, HasSubstr("[stand-ins.\"a\"]\ncommand = [\"echo\", "));
  EXPECT_THAT(file, HasSubstr("[stand-ins.\"b\"]\ncommand = [\"run\", \"it \\\"now\\\"\"]\n"));
}

}  // namespace
}  // namespace misrule::controller
