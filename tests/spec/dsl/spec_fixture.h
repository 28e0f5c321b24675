#pragma once

// Loads a text as a spec and shows its problems as people see them.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "spec/dsl/spec.h"
#include "tests/spec/dsl/recording_host.h"

namespace misrule::dsl {

class SpecTest : public testing::Test {
 protected:
  /// Lines 1 and 2 of every text given to load(), problems() and run_text(): a database and an api.
  static const std::string kTopology;

  void SetUp() override;
  void TearDown() override;

  /// Loads kTopology + text; fails the test if it is wrong.
  Spec& load(const std::string& text) { return load_whole(kTopology + text); }
  Spec& load_whole(const std::string& text);
  /// "3:5-9 message [hint]" of each problem.
  std::vector<std::string> problems(const std::string& text) {
    return problems_whole(kTopology + text);
  }
  std::vector<std::string> problems_whole(const std::string& text);
  std::string only_problem(const std::string& text);
  /// Loads and runs "def test_x():" with this body, each line of it indented here.
  BodyResult run_body(const std::string& body);
  /// "message" if it failed, with its position: "4:5-14 message"; "completed" if not. What loading
  /// finds is told likewise.
  std::string outcome_of(const std::string& body);
  std::string write_file(const std::string& name, const std::string& text);
  static std::string test_of(const std::string& body);
  static std::string shown(const model::Finding& finding);

  std::string folder_;
  LoadOptions options_;
  std::unique_ptr<Spec> spec_;
  RecordingHost host_;
  BodyResult result_;
  std::vector<std::string> printed_;
};

}  // namespace misrule::dsl
