#pragma once

// The files that a run leaves beside its text: which are wanted, and that they can be written is
// known before the run begins.

#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "controller/run/run.h"

namespace misrule::cli {

struct OutputPaths {
  std::string json = {};  ///< "-": standard output.
  std::string junit = {};
  std::string shiviz = {};
  std::string otlp = {};
  std::string bundle = {};
  bool bundle_services = true;
  std::string report = {};  ///< A folder.
};

class Outputs {
 public:
  /// Opens every file: a long run does not end with a path that cannot be written.
  static Result<Outputs> open(const OutputPaths& paths);

  bool json_to_stdout() const { return paths_.json == "-"; }
  /// Says on `text` where the page lies.
  Status write(const controller::RunResult& result, const controller::RunRequest& request,
               const std::string& program, std::FILE* text);

 private:
  Status add(const std::string& path);
  Status write_bundle(const controller::RunResult& result, const controller::RunRequest& request,
                      const std::string& json);
  Status put(const std::string& path, const std::function<void(std::ostream&)>& write);

  OutputPaths paths_ = {};
  std::map<std::string, std::ofstream> files_ = {};
};

}  // namespace misrule::cli
