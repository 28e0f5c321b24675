#pragma once

// A run as GitHub Actions shows it: annotations beside lines of the spec, and a summary of the job.

#include <cstddef>
#include <string>
#include <string_view>

#include "controller/run/run.h"

namespace misrule::controller {

/// From here to github_resume() the runner obeys no line of ours: what services print is not a
/// command. `token` is a word that they cannot know.
std::string github_pause(std::string_view token);
std::string github_resume(std::string_view token);

struct GithubPlace {
  std::string directory = {};  ///< Where misrule was called.
  std::string workspace = {};  ///< GITHUB_WORKSPACE: annotations name files below it.
};

/// One line per test that did not pass, and per spec that could not run:
/// ::error file=shop.star,line=58,col=5,title=test_x::assert_eq: ...
std::string github_annotations(const RunResult& result, const RunRequest& request,
                               const GithubPlace& place);

/// Markdown for GITHUB_STEP_SUMMARY: verdicts in numbers, matrices as tables, what did not pass.
std::string github_summary(const RunResult& result, const RunRequest& request,
                           std::string_view program);

}  // namespace misrule::controller
