#include "controller/run/shim_path.h"

#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

namespace misrule::controller {

Result<std::string> find_shim() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"misrule-shim", "../libexec/misrule/misrule-shim"}) {
    fs::path path = fs::weakly_canonical(folder / place, error);
    if (::access(path.c_str(), X_OK) == 0) return path.string();
  }
  return fail(Code::kUnsupported,
              fmt::format("misrule-shim is not beside misrule in {}: install misrule again",
                          folder.string()));
}

}  // namespace misrule::controller
