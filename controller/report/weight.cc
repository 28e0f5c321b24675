#include "controller/report/weight.h"

#include "controller/report/text.h"

namespace misrule::controller {

using model::Outcome;

Weight weight_of(Outcome outcome, bool strict) {
  switch (outcome) {
    case Outcome::kPassed:
      return Weight::kGood;
    case Outcome::kSkipped:
    case Outcome::kNotExercised:
    case Outcome::kNoOracle:
      return strict ? Weight::kBad : Weight::kSilent;
    case Outcome::kFailed:
    case Outcome::kInvalid:
    case Outcome::kInconclusive:
      return Weight::kBad;
    case Outcome::kError:
    case Outcome::kInterrupted:
      break;
  }
  return Weight::kError;
}

std::string reason_of(const model::TestReport& report) {
  if (!report.findings.empty()) return printable(report.findings.front().message);
  if (report.outcome == Outcome::kNoOracle) return "no oracle: nobody looked at what came out";
  return std::string(model::outcome_name(report.outcome));
}

}  // namespace misrule::controller
