#pragma once

// A run as ShiViz reads it: a diagram of who knew what when, from vector clocks.
//
// The file's first line is the regular expression that takes it apart, its second the one between
// the tests; ShiViz reads both from there.

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "controller/run/run.h"
#include "spec/model/event.h"

namespace misrule::controller {

inline constexpr const char* kShivizEvent = R"((?<host>\S*) (?<clock>{.*})\n(?<event>.*))";
inline constexpr const char* kShivizTest = "^=== (?<trace>.*) ===$";

/// Clocks as ShiViz wants them: of each host 1, 2, 3… without a gap, and never more of another host
/// than has been told. Those of a log have gaps where several processes wrote it.
class ShivizClocks {
 public:
  /// To be called for each event of a test, in the order of the log.
  model::VectorClock next(const model::Event& event);

 private:
  using Counts = std::vector<std::uint64_t>;  ///< By host.
  std::size_t index_of(const std::string& host);

  std::map<std::string, std::size_t> hosts_ = {};
  std::vector<std::string> names_ = {};
  std::vector<std::vector<Counts>> told_ = {};  ///< Of each host, its events' clocks.
};

/// Tests without events are left out.
void write_shiviz(const RunResult& result, std::ostream& out);

}  // namespace misrule::controller
