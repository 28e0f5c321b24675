#pragma once

// misrule.toml beside a spec: which command stands in for an image or a build directory.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "spec/model/topology.h"
#include "spec/model/verdict.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::controller {

/// [stand-ins."myapp:latest"]: what runs where a spec says image= or build= with that text.
struct ProgramEntry {
  std::string key = {};
  std::vector<std::string> command = {};                      ///< The program first.
  std::vector<std::string> setup = {};                        ///< Empty: nothing to do before.
  std::vector<std::pair<std::string, std::string>> env = {};  ///< In the order of names.
  std::vector<star::Span> env_spans = {};                     ///< Of the values, likewise.
  std::string cwd = {};                                       ///< As written; empty: not said.
};

struct ProjectFile {
  std::string path = {};  ///< As it is named to people.
  std::vector<ProgramEntry> stand_ins = {};
  std::shared_ptr<const star::SourceFile> source = {};  ///< What spans point into.

  /// What stands in for its image, or for what its directory builds.
  const ProgramEntry* find(const model::Service& service) const;
};

/// A mistake in the file, with its place; `rendered` shows the line with carets.
struct ProjectProblem {
  model::Finding finding = {};
  std::string rendered = {};
};

/// `name` is what messages call the file.
std::expected<ProjectFile, ProjectProblem> project_from_toml(std::string_view text,
                                                             const std::string& name);

/// As the entry's command runs it: its program as written, its arguments before the spec's, its
/// directory.
model::Service run_by(const ProgramEntry& entry, const model::Service& service);

/// With the variables that the file adds; they yield to the spec's own.
model::Service with_env_of(const ProjectFile& project, const model::Service& service);

/// What is doubtful in what the file says of a service, each as it is shown to people.
std::vector<std::string> doubts_about(const ProjectFile& project, const model::Topology& topology,
                                      const model::Service& service);

/// The misrule.toml of a folder; without one, no stand-ins.
std::expected<ProjectFile, ProjectProblem> read_project_file(const std::string& folder);

}  // namespace misrule::controller
