#include "cli/terminal.h"

#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace misrule::cli {

namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool is_dumb() {
  const char* terminal = std::getenv("TERM");
  return terminal == nullptr || std::string_view(terminal) == "dumb";
}

}  // namespace

Looks looks_of(std::FILE* stream, bool no_color) {
  constexpr std::size_t kColumnsMin = 40;
  Looks looks;
  const int fd = fileno(stream);
  if (isatty(fd) == 0) return looks;
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= kColumnsMin) looks.columns = size.ws_col;
  looks.live = !is_set("CI") && !is_dumb();
  looks.color = looks.live && !no_color && !is_set("NO_COLOR");
  return looks;
}

}  // namespace misrule::cli
