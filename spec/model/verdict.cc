#include "spec/model/verdict.h"

#include <algorithm>

namespace misrule::model {

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kInvalid:
      return "invalid";
    case Outcome::kInconclusive:
      return "inconclusive";
    case Outcome::kError:
      return "error";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kNotExercised:
      return "not exercised";
    case Outcome::kNoOracle:
      return "no oracle";
    case Outcome::kInterrupted:
      break;
  }
  return "interrupted";
}

namespace {

int exit_code_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
    case Outcome::kSkipped:
    case Outcome::kNotExercised:
    case Outcome::kNoOracle:
      return 0;
    case Outcome::kFailed:
    case Outcome::kInvalid:
    case Outcome::kInconclusive:
      return 1;
    case Outcome::kError:
      return 3;
    case Outcome::kInterrupted:
      break;
  }
  return 130;
}

int precedence(int code) {
  constexpr int kOrder[] = {0, 1, 3, 2, 130};
  return static_cast<int>(std::ranges::find(kOrder, code) - std::begin(kOrder));
}

}  // namespace

int exit_code(const std::vector<TestReport>& reports) {
  int worst = 0;
  for (const TestReport& report : reports) {
    const int code = exit_code_of(report.outcome);
    if (precedence(code) > precedence(worst)) worst = code;
  }
  return worst;
}

}  // namespace misrule::model
