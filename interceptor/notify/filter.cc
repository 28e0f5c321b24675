#include "interceptor/notify/filter.h"

#include <cerrno>
#include <memory>
#include <type_traits>

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "interceptor/decide/families.h"
#include "interceptor/shim/protocol.h"

namespace misrule::interceptor {
namespace {

struct ReleaseContext {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, ReleaseContext>;

// EEXIST: the call stands in two families.
Status add(const Context& context, int number) {
  const int result = seccomp_rule_add(context.get(), SCMP_ACT_NOTIFY, number, 0);
  if (result == 0 || result == -EEXIST) return {};
  return std::unexpected(errno_error("seccomp_rule_add", -result));
}

// Only MS_SYNC waits for the disk: the other calls of msync are hints.
Status add_msync(const Context& context, int number) {
  const scmp_arg_cmp synchronous = {
      .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = MS_SYNC, .datum_b = MS_SYNC};
  const int result =
      seccomp_rule_add_array(context.get(), SCMP_ACT_NOTIFY, number, 1, &synchronous);
  if (result == 0 || result == -EEXIST) return {};
  return std::unexpected(errno_error("seccomp_rule_add", -result));
}

Status add_rows(const Context& context, const FilterScope& scope) {
  for (const SyscallRow& row : syscall_rows()) {
    const std::string family(family_name(row.family));
    const bool wanted = row.family == Family::kConnect || scope.families.contains(family);
    if (!wanted || (row.sockets_only && !scope.sockets)) continue;
    const int number = syscall_number(row.name);
    if (number < 0) continue;  // Not on this architecture (open on aarch64).
    const bool mapping = row.subject == Subject::kMapping;
    MISRULE_TRY_VOID(mapping ? add_msync(context, number) : add(context, number));
  }
  const int ring = syscall_number("io_uring_setup");
  return ring < 0 ? Status{} : add(context, ring);
}

Result<std::vector<sock_filter>> export_program(const Context& context) {
  const UniqueFd file(memfd_create("misrule-filter", MFD_CLOEXEC));
  if (!file.valid()) return std::unexpected(errno_error("memfd_create", errno));
  if (const int result = seccomp_export_bpf(context.get(), file.fd()); result != 0) {
    return std::unexpected(errno_error("seccomp_export_bpf", -result));
  }
  const off_t size = lseek(file.fd(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (program.empty() || program.size() > kFilterLengthMax) {
    return fail(Code::kInternal, fmt::format("a filter of {} instructions", program.size()));
  }
  const std::size_t bytes = program.size() * sizeof(sock_filter);
  if (pread(file.fd(), program.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    return std::unexpected(errno_error("reading the filter", errno));
  }
  return program;
}

}  // namespace

int syscall_number(const char* name) { return seccomp_syscall_resolve_name(name); }

Result<std::vector<sock_filter>> build_filter(const FilterScope& scope) {
  for (const std::string& family : scope.families) {
    if (!family_from_name(family)) {
      return fail(Code::kInvalid, fmt::format("no syscall family is called \"{}\"", family));
    }
  }
  const Context context(seccomp_init(SCMP_ACT_ALLOW));
  if (context == nullptr) return fail(Code::kUnsupported, "libseccomp knows no filters here");
  seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // A binary tree.
  MISRULE_TRY_VOID(add_rows(context, scope));
  return export_program(context);
}

}  // namespace misrule::interceptor
