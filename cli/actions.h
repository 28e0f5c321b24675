#pragma once

// What GitHub Actions is told when a run happens in one of its jobs.

#include <cstdio>
#include <string>

#include "controller/run/run.h"

namespace misrule::cli {

/// While it lives nothing that is printed counts as a command of the job's; outside of GitHub
/// Actions it does nothing.
class ActionsJob {
 public:
  /// `text` is where the run's own text goes.
  explicit ActionsJob(std::FILE* text);
  ~ActionsJob();
  ActionsJob(const ActionsJob&) = delete;
  ActionsJob& operator=(const ActionsJob&) = delete;

  /// Annotations, and the summary of the step.
  void tell(const controller::RunResult& result, const controller::RunRequest& request,
            const std::string& program);

 private:
  void resume();

  std::FILE* text_;
  std::string token_ = {};  ///< Empty: no job, or nothing is paused.
};

}  // namespace misrule::cli
