#pragma once

// What one finished test looks like: its line, its rules, and why it did not pass.

#include <string>
#include <string_view>
#include <vector>

#include "controller/report/text.h"
#include "spec/model/event.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// "✓", "✗" and their like.
std::string mark_of(model::Outcome outcome, const Paint& paint);

struct TestView {
  const model::TestReport& report;
  const std::vector<model::Event>& story;
  std::size_t name_columns = 0;  ///< Width of the longest test name, for alignment.
  std::size_t columns = 100;
  bool verbose = false;
  std::string again = {};
};

/// A mark, the name, the time, then rules and notes beside it if they fit, else below.
std::string test_lines(const TestView& view, const Paint& paint);

/// Position, message, source line with caret, hint and further lines of one finding.
std::string finding_lines(const model::Finding& finding, const Paint& paint);

}  // namespace misrule::controller
