#pragma once

// A run in one file that can be handed on: what it ran, on what, with which seed, and what
// happened.
//
//   manifest.json          what else there is, the machine, what was asked for
//   run.json, report.html  as --json and --report write them
//   rules/N.yaml           as misrule compile prints them
//   spec/N                 specs, what they load, misrule.toml; the manifest has their paths
//   tests/N/…              of each test, in the order of run.json: event log and output
//   controls/N/…           the same of scenarios without faults
//   services/N             what services ran, as far as it lies below a spec's folder
//
// Values of settings and variables whose names say that they are secret are masked everywhere.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "controller/bundle/archive.h"
#include "controller/bundle/secret_mask.h"
#include "controller/run/run.h"

namespace misrule::controller {

struct BundleOrder {
  std::string path = {};
  std::string version = {};
  std::string run_json = {};
  std::string page = {};      ///< Masked already.
  bool with_services = true;  ///< What services run, as far as it lies below a spec's folder.
};

Status write_bundle(const BundleOrder& order, const RunResult& result, const RunRequest& request,
                    const SecretMask& mask);

/// A file that the run read, with what it held.
struct BundleSource {
  std::string path = {};  ///< As the run named it.
  std::string text = {};
};

/// A file that a service ran.
struct BundleProgram {
  std::string service = {};
  std::string path = {};  ///< As the run named it.
  std::string hash = {};  ///< Of its content, as hash_of_program() makes it; empty: unknown.
  std::string file = {};  ///< In the bundle; empty: the bundle does not hold it.
};

struct Bundle {
  std::string version = {};  ///< Of the program that made it.
  std::string machine = {};
  RunRequest request = {};
  std::vector<std::string> secret_settings = {};  ///< --set of these was given, and is not there.
  std::vector<BundleSource> sources = {};
  std::vector<BundleProgram> programs = {};
  ArchiveFiles files = {};
};

Result<Bundle> read_bundle(const std::string& path);

}  // namespace misrule::controller
