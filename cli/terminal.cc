#include "cli/terminal.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"

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
  Looks looks;
  const int fd = fileno(stream);
  if (isatty(fd) == 0) return looks;
  winsize size = {};
  // A terminal that does not know its size says 0.
  if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) looks.columns = size.ws_col;
    if (size.ws_row > 0) looks.rows = size.ws_row;
  }
  looks.live = !is_set("CI") && !is_dumb();
  looks.color = looks.live && !no_color && !is_set("NO_COLOR");
  return looks;
}

void open_missing_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is this one.
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) static_cast<void>(open("/dev/null", O_RDWR));
  }
}

void print_text(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int finish_output(int code) {
  const bool failed = std::fflush(stdout) != 0;
  const int reason = errno;
  if (!failed && std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "misrule: standard output cannot be written{}{}\n", failed ? ": " : "",
             failed ? std::strerror(reason) : "");
  return code == kPassed ? kInfrastructure : code;
}

}  // namespace misrule::cli
