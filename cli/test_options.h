#pragma once

// What `misrule test` can be asked for, by subject.

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/outputs.h"
#include "controller/run/run.h"

namespace CLI {
class App;
}  // namespace CLI

namespace misrule::cli {

struct TestOptions {
  controller::RunRequest request = {};
  std::string seed = "1";
  std::string timeout = "120s";
  std::string network = "world";
  std::string explore = {};  ///< Which orders of what happens; none is chosen yet.
  std::vector<std::string> set = {};
  OutputPaths outputs = {};
  bool without_services = false;  ///< In the bundle.
  bool list = false;
  bool watch = false;
  std::vector<std::string> only = {};  ///< Of the files; what --watch asks of its runs.
  bool verbose = false;
  bool no_color = false;
};

void add_test_options(CLI::App& command, TestOptions& options);

/// Reads what CLI11 leaves as text into the request.
Status complete_request(TestOptions& options);

}  // namespace misrule::cli
