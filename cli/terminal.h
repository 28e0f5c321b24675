#pragma once

// What a run's text may look like where it goes: colours, live lines, how wide and high.

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace misrule::cli {

struct Looks {
  bool color = false;
  bool live = false;
  std::size_t columns = 120;
  std::size_t rows = 24;
};

/// NO_COLOR, TERM=dumb and CI are obeyed; what is no terminal gets plain lines.
Looks looks_of(std::FILE* stream, bool no_color);

/// Descriptors 0 to 2 that the caller closed lead to /dev/null: a file opened later must not get
/// their numbers, and with them what is printed.
void open_missing_streams();

/// Text for standard output. What cannot be written is told by finish_output().
void print_text(std::string_view text);

/// To be called last: `code`, or kInfrastructure, with a word about it, where all went well but for
/// standard output, which could not be written.
int finish_output(int code);

}  // namespace misrule::cli
