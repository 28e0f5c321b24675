#include "controller/run/privileges.h"

#include <array>

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

struct Privilege {
  unsigned capability;
  const char* name;
  const char* purpose;
};

constexpr std::array<Privilege, 5> kNeeded = {{
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "namespaces and mounts of each test's world"},
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", "the world's own loopback"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "reading the arguments of a service's system calls"},
    {CAP_SETUID, "CAP_SETUID", "running services as users of their own"},
    {CAP_CHOWN, "CAP_CHOWN", "giving a database its data directory"},
}};

bool is_effective(unsigned capability) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> sets = {};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return (sets.at(capability / 32).effective >> (capability % 32) & 1U) != 0;
}

}  // namespace

Status check_privileges() {
  std::string missing;
  for (const Privilege& privilege : kNeeded) {
    if (is_effective(privilege.capability)) continue;
    missing +=
        fmt::format("{}{} ({})", missing.empty() ? "" : ", ", privilege.name, privilege.purpose);
  }
  if (missing.empty()) return {};
  const char* remedy = ::geteuid() == 0
                           ? "this looks like a container: start it with --privileged"
                           : "run it with sudo; services then run as the user who called sudo";
  return fail(
      Code::kUnsupported,
      fmt::format("missing privileges: {}\n{} · `misrule doctor` shows what this machine can do",
                  missing, remedy));
}

}  // namespace misrule::controller
