#include "interceptor/notify/attach.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <grp.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interceptor/shim/protocol.h"

namespace misrule::interceptor {
namespace {

std::optional<std::uint32_t> parse_number(const std::string& text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::vector<std::uint32_t> groups_of(const char* user, gid_t gid) {
  std::vector<gid_t> groups(kGroupsMax);
  int count = static_cast<int>(groups.size());
  if (getgrouplist(user, gid, groups.data(), &count) < 0) return {gid};
  groups.resize(static_cast<std::size_t>(count));
  return {groups.begin(), groups.end()};
}

template <class T>
void append_bytes(std::string& out, const T* objects, std::size_t count) {
  const std::size_t at = out.size();
  out.resize(at + count * sizeof(T));
  if (count > 0) std::memcpy(out.data() + at, objects, count * sizeof(T));
}

// Takes the descriptors out of a message, so that none is lost whatever else is wrong with it.
std::vector<UniqueFd> take_descriptors(msghdr& message) {
  std::vector<UniqueFd> out;
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(int));
      out.emplace_back(fd);
    }
  }
  return out;
}

}  // namespace

void AttachResult::tell(Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (status_) return;
    status_ = std::move(status);
  }
  told_.notify_all();
}

Status AttachResult::wait(Duration timeout) const {
  std::unique_lock lock(mutex_);
  // A deadline of the steady clock, not wait_for: it must not depend on how the library rounds.
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  if (!told_.wait_until(lock, deadline, [&] { return status_.has_value(); })) {
    return fail(Code::kTimeout, "the shim has not handed its listener over in time");
  }
  return *status_;
}

Result<std::optional<UserIds>> find_user(const std::string& name) {
  if (name.empty()) return std::nullopt;
  passwd entry = {};
  passwd* found = nullptr;
  std::vector<char> room(16384);
  getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found != nullptr) {
    return UserIds{
        .uid = entry.pw_uid, .gid = entry.pw_gid, .groups = groups_of(entry.pw_name, entry.pw_gid)};
  }
  const auto uid = parse_number(name);
  if (!uid) return fail(Code::kNotFound, "no user is called \"" + name + "\"");
  getpwuid_r(*uid, &entry, room.data(), room.size(), &found);
  if (found == nullptr) return UserIds{.uid = *uid, .gid = *uid, .groups = {*uid}};
  return UserIds{
      .uid = *uid, .gid = entry.pw_gid, .groups = groups_of(entry.pw_name, entry.pw_gid)};
}

Status send_order(int socket, const std::vector<sock_filter>& filter,
                  const std::optional<UserIds>& user, bool wait_killable) {
  Order order = {.magic = kOrderMagic};
  order.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  if (wait_killable) order.filter_flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  order.filter_length = static_cast<std::uint32_t>(filter.size());
  if (user) {
    order.switches_user = 1;
    order.uid = user->uid;
    order.gid = user->gid;
    order.group_count = static_cast<std::uint32_t>(user->groups.size());
  }
  std::string message;
  append_bytes(message, &order, 1);
  if (user) append_bytes(message, user->groups.data(), user->groups.size());
  append_bytes(message, filter.data(), filter.size());
  if (send(socket, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    return std::unexpected(errno_error("sending the shim its order", errno));
  }
  return {};
}

Result<Handover> receive_handover(int socket) {
  std::array<char, kSentenceMax> text = {};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control = {};
  iovec piece = {.iov_base = text.data(), .iov_len = text.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  // A reset is an end before the order was read.
  if (count < 0 && errno != ECONNRESET) {
    return std::unexpected(errno_error("hearing the shim", errno));
  }
  auto descriptors = take_descriptors(message);
  if (count <= 0) return fail(Code::kIo, "the shim ended before it handed its listener over");
  const std::string_view words(text.data(), static_cast<std::size_t>(count));
  if (words.front() == kFailed) return fail(Code::kIo, std::string(words.substr(1)));
  if (words.front() != kReady || descriptors.size() != 2) {
    return fail(Code::kInternal, "the shim said something unknown");
  }
  return Handover{.listener = std::move(descriptors[0]), .pipe = std::move(descriptors[1])};
}

void send_go(int socket) {
  // A shim that is gone meanwhile shows at the pipe.
  (void)!send(socket, "G", 1, MSG_NOSIGNAL);
}

Status read_exec_result(int pipe) {
  std::array<char, kSentenceMax> text = {};
  const ssize_t count = read(pipe, text.data(), text.size());
  if (count <= 0) return {};
  return fail(Code::kIo, std::string(text.data(), static_cast<std::size_t>(count)));
}

}  // namespace misrule::interceptor
