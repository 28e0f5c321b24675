#pragma once

// Stands in for everything that the command line starts: records what it was asked for and answers
// what a test told it to.

#include <string>
#include <vector>

#include "controller/run/run.h"
#include "proxy/standalone.h"

namespace misrule::cli {

struct FakeEngine {
  controller::RunRequest request = {};  ///< Of the latest run or check.
  std::size_t runs = 0;
  std::size_t checks = 0;
  int exit_code = 0;       ///< What the next run answers.
  std::string error = {};  ///< Not empty: what the next call fails with,
  Code code = Code::kIo;   ///< and as what.
  std::string entered = {};
  std::vector<std::string> command = {};
  std::string ended = {};
  proxy::StandaloneArguments proxied = {};
};

FakeEngine& fake_engine();

}  // namespace misrule::cli
