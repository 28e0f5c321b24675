#pragma once

// A compose file with all that it takes from elsewhere: include, extends, env_file, profiles.

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/result.h"
#include "controller/starter/project.h"

namespace misrule::controller {

/// One service, with nothing left in it that stands elsewhere. Paths are relative to `folder`.
struct ComposeService {
  std::string name = {};
  YAML::Node node = {};
  std::string file =
      {};  ///< Where it stands, as people name it; empty: the file that was asked for.
  std::filesystem::path folder = {};
  unsigned line = 0;
};

struct ComposeFile {
  std::vector<ComposeService> services = {};
  std::vector<StarterRemark> remarks = {};
};

/// Throws what yaml-cpp throws of a file that is no YAML or is not there.
Result<ComposeFile> load_compose(const std::string& file);

using VisitEntry =
    std::function<void(const std::string& key, const YAML::Node& value, unsigned line)>;
/// The entries of a mapping, with what `<<` brings and does not stand in it.
void for_each_entry(const YAML::Node& map, const VisitEntry& visit);

/// A scalar's text; empty for all else.
std::string text_of(const YAML::Node& node);
unsigned line_of(const YAML::Node& node);

using Variables = std::vector<std::pair<std::string, std::string>>;
/// NAME=value lines as compose reads them: comments, `export`, quotes; $ in single quotes is text.
Variables variables_of_file(std::string_view text);

}  // namespace misrule::controller
