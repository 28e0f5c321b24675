#include "cli/command_line.h"
#include "cli/terminal.h"

int main(int argc, char** argv) {
  misrule::cli::open_missing_streams();
  return misrule::cli::finish_output(misrule::cli::run_command_line(argc, argv));
}
