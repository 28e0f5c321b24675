#include "proxy/main/authority_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "proxy/proxy.h"

namespace misrule::proxy {

namespace fs = std::filesystem;

Result<AuthorityFolder> AuthorityFolder::make(const std::vector<std::string>& outs) {
  std::error_code problem;
  std::string path = (fs::temp_directory_path(problem) / "misrule-ca-XXXXXX").string();
  if (problem || ::mkdtemp(path.data()) == nullptr) {
    return std::unexpected(errno_error("a folder for the certificate authority", errno));
  }
  AuthorityFolder folder(std::move(path));
  MISRULE_TRY(const std::string certificate, make_authority(folder.path()));
  for (const std::string& out : outs) {
    fs::copy_file(certificate, out, fs::copy_options::overwrite_existing, problem);
    if (problem) return fail(Code::kIo, fmt::format("writing {}: {}", out, problem.message()));
  }
  // Whoever is to trust it may read it; the key stays its owner's.
  fs::permissions(folder.path(), fs::perms(0711), problem);
  return folder;
}

AuthorityFolder::~AuthorityFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace misrule::proxy
