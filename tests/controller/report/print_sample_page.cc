// Writes the page of the sample run and what it is made of into a folder, for page_test.py.

#include <fstream>
#include <string>

#include "controller/report/run_json.h"
#include "controller/report/run_page.h"
#include "tests/controller/report/sample_page.h"
#include "tests/controller/report/sample_run.h"

int main(int argc, char** argv) {
  using namespace misrule::controller;
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  const RunResult result = sample_page_result(folder);
  const std::string json = run_to_json(result, sample_request(), "0.1.0", "misrule");
  std::ofstream page(folder + "/page.html");
  return (page << run_page(result, json)).flush() ? 0 : 1;
}
