#include "interceptor/decide/families.h"

#include <array>

namespace misrule::interceptor {
namespace {

constexpr std::array<std::string_view, kFamilyCount> kNames = {"connect", "read", "write", "fsync",
                                                               "open"};

constexpr auto kConnect = Family::kConnect;
constexpr auto kRead = Family::kRead;
constexpr auto kWrite = Family::kWrite;
constexpr auto kFsync = Family::kFsync;
constexpr auto kOpen = Family::kOpen;
constexpr auto kFd = Subject::kDescriptor;

// clang-format off
constexpr std::array kRows = {
    SyscallRow{"connect",         kConnect, Subject::kDestination, 0, Count::kNone,    0},

    SyscallRow{"read",            kRead,  kFd, 0, Count::kBytes,   2},
    SyscallRow{"readv",           kRead,  kFd, 0, Count::kPieces,  1},
    SyscallRow{"pread64",         kRead,  kFd, 0, Count::kBytes,   2},
    SyscallRow{"preadv",          kRead,  kFd, 0, Count::kPieces,  1},
    SyscallRow{"preadv2",         kRead,  kFd, 0, Count::kPieces,  1},
    SyscallRow{"sendfile",        kRead,  kFd, 1, Count::kBytes,   3},
    SyscallRow{"copy_file_range", kRead,  kFd, 0, Count::kBytes,   4},
    SyscallRow{"splice",          kRead,  kFd, 0, Count::kBytes,   4},
    SyscallRow{"recvfrom",        kRead,  kFd, 0, Count::kBytes,   2, true},
    SyscallRow{"recvmsg",         kRead,  kFd, 0, Count::kMessage, 1, true},
    SyscallRow{"recvmmsg",        kRead,  kFd, 0, Count::kNone,    0, true},

    SyscallRow{"write",           kWrite, kFd, 0, Count::kBytes,   2},
    SyscallRow{"writev",          kWrite, kFd, 0, Count::kPieces,  1},
    SyscallRow{"pwrite64",        kWrite, kFd, 0, Count::kBytes,   2},
    SyscallRow{"pwritev",         kWrite, kFd, 0, Count::kPieces,  1},
    SyscallRow{"pwritev2",        kWrite, kFd, 0, Count::kPieces,  1},
    SyscallRow{"sendfile",        kWrite, kFd, 0, Count::kBytes,   3},
    SyscallRow{"copy_file_range", kWrite, kFd, 2, Count::kBytes,   4},
    SyscallRow{"splice",          kWrite, kFd, 2, Count::kBytes,   4},
    SyscallRow{"vmsplice",        kWrite, kFd, 0, Count::kPieces,  1},
    SyscallRow{"sendto",          kWrite, kFd, 0, Count::kBytes,   2, true},
    SyscallRow{"sendmsg",         kWrite, kFd, 0, Count::kMessage, 1, true},
    SyscallRow{"sendmmsg",        kWrite, kFd, 0, Count::kNone,    0, true},

    SyscallRow{"fsync",           kFsync, kFd, 0, Count::kNone,    0},
    SyscallRow{"fdatasync",       kFsync, kFd, 0, Count::kNone,    0},
    SyscallRow{"sync_file_range", kFsync, kFd, 0, Count::kNone,    0},
    SyscallRow{"syncfs",          kFsync, kFd, 0, Count::kNone,    0},
    SyscallRow{"msync",           kFsync, Subject::kMapping, 0, Count::kNone, 0},

    SyscallRow{"open",            kOpen,  Subject::kPath,   0, Count::kNone, 0},
    SyscallRow{"creat",           kOpen,  Subject::kPath,   0, Count::kNone, 0},
    SyscallRow{"openat",          kOpen,  Subject::kPathAt, 1, Count::kNone, 0},
    SyscallRow{"openat2",         kOpen,  Subject::kPathAt, 1, Count::kNone, 0},
};
// clang-format on

}  // namespace

std::string_view family_name(Family family) { return kNames[static_cast<std::size_t>(family)]; }

std::optional<Family> family_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Family>(i);
  }
  return std::nullopt;
}

std::span<const SyscallRow> syscall_rows() { return kRows; }

}  // namespace misrule::interceptor
