// Prints the sample run as JSON, for run_schema_test.py.

#include <cstdio>

#include "controller/report/run_json.h"
#include "tests/controller/report/sample_run.h"

int main() {
  using namespace misrule::controller;
  const std::string text = run_to_json(sample_result(), sample_request(), "0.1.0", "misrule");
  std::fputs(text.c_str(), stdout);
  return 0;
}
