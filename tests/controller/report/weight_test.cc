#include "controller/report/weight.h"

#include <gtest/gtest.h>

#include "controller/report/github.h"
#include "controller/report/junit.h"
#include "tests/controller/report/sample_run.h"

namespace misrule::controller {
namespace {

using model::Outcome;

TEST(Weight, WhatSaysNothingIsSilentAndBadIfStrict) {
  for (const Outcome silent : {Outcome::kSkipped, Outcome::kNotExercised, Outcome::kNoOracle}) {
    EXPECT_EQ(weight_of(silent, false), Weight::kSilent);
    EXPECT_EQ(weight_of(silent, true), Weight::kBad);
  }
}

TEST(Weight, TheOthersAreWhatTheyAre) {
  for (const bool strict : {false, true}) {
    EXPECT_EQ(weight_of(Outcome::kPassed, strict), Weight::kGood);
    for (const Outcome bad : {Outcome::kFailed, Outcome::kInvalid, Outcome::kInconclusive}) {
      EXPECT_EQ(weight_of(bad, strict), Weight::kBad);
    }
    for (const Outcome error : {Outcome::kError, Outcome::kInterrupted}) {
      EXPECT_EQ(weight_of(error, strict), Weight::kError);
    }
  }
}

TEST(Weight, JUnitHasSkippedForWhatSaysNothing) {
  RunResult result = sample_result();
  result.reports.front().outcome = Outcome::kNoOracle;
  EXPECT_NE(run_to_junit(result, {}, "misrule").find("<skipped type=\"no oracle\""),
            std::string::npos);
  EXPECT_NE(run_to_junit(result, {.strict = true}, "misrule").find("<failure type=\"no oracle\""),
            std::string::npos);
}

TEST(Weight, JUnitNamesAControlAndWhatWasKept) {
  const std::string told = run_to_junit(sample_result(), {}, "misrule");
  for (const char* part : {R"(name="misrule.control" value="passed in 0.120 s")",
                           R"(name="misrule.attachment" value="attachments/orders")"}) {
    EXPECT_NE(told.find(part), std::string::npos) << part;
  }
}

TEST(Github, AMessageIsOneLine) {
  RunResult result = {.reports = {{.test = "t", .spec = "s.star", .outcome = Outcome::kFailed}}};
  result.reports[0].findings = {{.message = "100%\n::error::no"}};
  EXPECT_EQ(github_annotations(result, {}, {}),
            "::error file=s.star,title=t (failed)::100%25%0A::error::no\n");
}

}  // namespace
}  // namespace misrule::controller
