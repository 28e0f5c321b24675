#pragma once

// What a run's text may look like where it goes: colours, a live line, how wide.

#include <cstddef>
#include <cstdio>

namespace misrule::cli {

struct Looks {
  bool color = false;
  bool live = false;
  std::size_t columns = 120;
};

/// NO_COLOR, TERM=dumb and CI are obeyed; what is no terminal gets plain lines.
Looks looks_of(std::FILE* stream, bool no_color);

}  // namespace misrule::cli
