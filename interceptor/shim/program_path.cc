#include "interceptor/shim/program_path.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace misrule::interceptor {
namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// 0 if it can be executed, else the errno that execve would give.
int why_not_executable(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

ProgramPath search(const std::string& name, const std::string& directories) {
  std::string denied;
  std::size_t begin = 0;
  while (begin <= directories.size()) {
    std::size_t end = directories.find(':', begin);
    if (end == std::string::npos) end = directories.size();
    // An empty entry is the working directory, as execvp has it.
    std::string path = directories.substr(begin, end - begin);
    path += path.empty() ? "./" + name : "/" + name;
    const int error = why_not_executable(path);
    if (error == 0) return {.path = path};
    if (error == EACCES && denied.empty()) denied = path;
    begin = end + 1;
  }
  if (!denied.empty()) return {.error = "exec " + denied + ": " + strerror(EACCES)};
  return {.error = "exec " + name + ": not found on PATH (" + directories + ")"};
}

}  // namespace

ProgramPath find_program(const std::string& name) {
  if (name.find('/') == std::string::npos) {
    const char* directories = std::getenv("PATH");
    return search(name, directories != nullptr ? directories : kDefaultPath);
  }
  const int error = why_not_executable(name);
  if (error == 0) return {.path = name};
  return {.error = "exec " + name + ": " + strerror(error)};
}

}  // namespace misrule::interceptor
