#include "interceptor/notify/listener.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

namespace misrule::interceptor {
namespace {

// In kernels from 6.6; Debian's headers are older.
constexpr unsigned long kIoctlSetFlags = _IOW('!', 4, std::uint64_t);
constexpr unsigned long kSyncWakeUp = 1;

// A signal must not lose an answer: nobody asks twice.
int uninterrupted(int fd, unsigned long request, void* argument) {
  int result = -1;
  do {
    result = ioctl(fd, request, argument);
  } while (result != 0 && errno == EINTR);
  return result;
}

std::size_t words(std::size_t ours, std::size_t kernels) {
  return (std::max(ours, kernels) + 7) / 8;
}

}  // namespace

Listener::Listener(UniqueFd fd) : fd_(std::move(fd)) {
  seccomp_notif_sizes sizes = {};
  // Without sizes (never seen where listeners exist) our own are right.
  (void)syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
  received_.resize(words(sizeof(seccomp_notif), sizes.seccomp_notif));
  response_.resize(words(sizeof(seccomp_notif_resp), sizes.seccomp_notif_resp));
}

bool Listener::receive(Notification& out) {
  // The kernel refuses a buffer that is not zero.
  std::ranges::fill(received_, 0);
  // Not again after EINTR: by then there may be none to receive, and it would block.
  if (ioctl(fd_.fd(), SECCOMP_IOCTL_NOTIF_RECV, received_.data()) != 0) return false;
  seccomp_notif raw = {};
  std::memcpy(&raw, received_.data(), sizeof(raw));
  out.id = raw.id;
  out.tid = static_cast<pid_t>(raw.pid);
  out.number = raw.data.nr;
  std::ranges::copy(raw.data.args, out.args.begin());
  return true;
}

bool Listener::is_valid(std::uint64_t id) const {
  return uninterrupted(fd_.fd(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool Listener::answer(std::uint64_t id, int error, std::uint32_t flags) {
  seccomp_notif_resp response = {};
  response.id = id;
  response.error = -error;
  response.flags = flags;
  std::ranges::fill(response_, 0);
  std::memcpy(response_.data(), &response, sizeof(response));
  return uninterrupted(fd_.fd(), SECCOMP_IOCTL_NOTIF_SEND, response_.data()) == 0;
}

bool Listener::let_go_on(std::uint64_t id) {
  return answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}
bool Listener::fail_with(std::uint64_t id, int error) { return answer(id, error, 0); }
bool Listener::succeed(std::uint64_t id) { return answer(id, 0, 0); }

bool Listener::enable_sync_wake_up() { return ioctl(fd_.fd(), kIoctlSetFlags, kSyncWakeUp) == 0; }

}  // namespace misrule::interceptor
