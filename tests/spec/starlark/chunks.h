#pragma once

// Chunked conformance files: programs between lines of ---, and which error each line must give.
//
//   x = 1 // 0  ### "floored division by zero"
//
// A chunk without ### must run without error, and without a failed assertion. `option:NAME` in a
// chunk turns a part of the language on or (with a minus) off; see chunks.cc.

#include <string>
#include <vector>

namespace misrule::star::test {

struct Chunk {
  std::string path = {};
  unsigned line = 1;      ///< Of its first line in the file.
  std::string text = {};  ///< Padded with newlines, so that lines are the file's.
};

/// kResolve knows the names M, U and float, and no others.
enum class Mode { kRun, kParse, kResolve };

/// `legacy_options`: everything optional is off unless the chunk asks for it.
struct ChunkOptions {
  bool legacy_options = false;
  Mode mode = Mode::kRun;
};

std::vector<Chunk> read_chunks(const std::string& path);
/// What is wrong with how it went; empty if all is as expected.
std::vector<std::string> run_chunk(const Chunk& chunk, const ChunkOptions& options);

}  // namespace misrule::star::test
