#include "interceptor/shim/handover.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/types.h>

namespace misrule::interceptor {
namespace {

ssize_t receive(int socket, std::span<char> into) {
  ssize_t count = -1;
  do {
    count = recv(socket, into.data(), into.size(), 0);
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

bool take_order(int socket, ReceivedOrder& out) {
  std::vector<char> bytes(kOrderBytesMax + 1);
  const ssize_t count = receive(socket, bytes);
  if (count < static_cast<ssize_t>(sizeof(Order))) return false;
  std::memcpy(&out.order, bytes.data(), sizeof(Order));
  const Order& order = out.order;
  if (order.magic != kOrderMagic || order.group_count > kGroupsMax ||
      order.filter_length > kFilterLengthMax) {
    return false;
  }
  const std::size_t group_bytes = order.group_count * sizeof(std::uint32_t);
  const std::size_t filter_bytes = order.filter_length * sizeof(sock_filter);
  if (static_cast<std::size_t>(count) != sizeof(Order) + group_bytes + filter_bytes) return false;
  out.groups.resize(order.group_count);
  out.filter.resize(order.filter_length);
  const char* rest = bytes.data() + sizeof(Order);
  if (group_bytes > 0) std::memcpy(out.groups.data(), rest, group_bytes);
  if (filter_bytes > 0) std::memcpy(out.filter.data(), rest + group_bytes, filter_bytes);
  return true;
}

bool send_ready(int socket, std::span<const int, 2> descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control = {};
  char word = kReady;
  iovec piece = {.iov_base = &word, .iov_len = 1};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

void send_failure(int socket, const std::string& sentence) {
  const std::string message = kFailed + sentence.substr(0, kSentenceMax - 1);
  // Nobody is left to be told when this fails: the exit status says so too.
  (void)!send(socket, message.data(), message.size(), MSG_NOSIGNAL);
}

bool wait_for_go(int socket) {
  std::array<char, 8> word = {};
  return receive(socket, word) > 0;
}

}  // namespace misrule::interceptor
