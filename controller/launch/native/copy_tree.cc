#include "controller/launch/native/copy_tree.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace misrule::controller::native {
namespace {

namespace fs = std::filesystem;

Status copy_bytes(int from, int to, const std::string& name) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  constexpr std::size_t kAtOnce = std::size_t{1} << 30U;
  for (;;) {
    // Works between file systems too: a test's copy is in memory.
    const ssize_t copied = ::sendfile(to, from, nullptr, kAtOnce);
    if (copied == 0) return {};
    if (copied < 0 && errno != EINTR) return std::unexpected(errno_error("copying " + name, errno));
  }
}

Status copy_file(const std::string& from, const std::string& to, const Account& owner) {
  const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (!source.valid() || ::fstat(source.fd(), &facts) != 0) {
    return std::unexpected(errno_error("opening " + from, errno));
  }
  const UniqueFd target(
      ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, facts.st_mode & 07777U));
  if (!target.valid()) return std::unexpected(errno_error("creating " + to, errno));
  if (::fchown(target.fd(), owner.uid, owner.gid) != 0) {
    return std::unexpected(errno_error("giving " + to + " to " + owner.name, errno));
  }
  return copy_bytes(source.fd(), target.fd(), from);
}

Status copy_folder(const std::string& from, const std::string& to, const Account& owner) {
  struct stat facts{};
  if (::stat(from.c_str(), &facts) != 0) return std::unexpected(errno_error(from, errno));
  if (::mkdir(to.c_str(), facts.st_mode & 07777U) != 0) {
    return std::unexpected(errno_error("creating " + to, errno));
  }
  if (::chown(to.c_str(), owner.uid, owner.gid) != 0) {
    return std::unexpected(errno_error("giving " + to + " to " + owner.name, errno));
  }
  return {};
}

}  // namespace

Status copy_tree(const std::string& from, const std::string& to, const Account& owner) {
  MISRULE_TRY_VOID(copy_folder(from, to, owner));
  std::error_code error;
  fs::recursive_directory_iterator entries(from, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const std::string source = entries->path().string();
    const std::string target = to + source.substr(from.size());
    if (entries->is_directory(error)) {
      MISRULE_TRY_VOID(copy_folder(source, target, owner));
    } else if (entries->is_regular_file(error)) {
      MISRULE_TRY_VOID(copy_file(source, target, owner));
    }
  }
  if (error) return fail(Code::kIo, "reading " + from + ": " + error.message());
  return {};
}

}  // namespace misrule::controller::native
