#include "interceptor/notify/facts_reader.h"

#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "interceptor/interceptor.h"
#include "interceptor/notify/objects.h"
#include "interceptor/notify/process.h"
#include "interceptor/notify/remote.h"

namespace misrule::interceptor {
namespace {

bool is_observers(pid_t tid, int descriptor, ConnectRouter& router) {
  const auto socket = duplicate_descriptor(tid, descriptor);
  if (!socket) return false;
  SocketEnds ends;
  socklen_t size = sizeof(ends.peer);
  if (getpeername(socket->fd(), reinterpret_cast<sockaddr*>(&ends.peer), &size) != 0) return false;
  size = sizeof(ends.own);
  if (getsockname(socket->fd(), reinterpret_cast<sockaddr*>(&ends.own), &size) != 0) return false;
  tcp_info state = {};
  size = sizeof(state);
  if (getsockopt(socket->fd(), IPPROTO_TCP, TCP_INFO, &state, &size) != 0) return false;
  ends.peer_is_open = state.tcpi_state == TCP_ESTABLISHED;
  return router.is_observer(ends);
}

void read_path_subject(const Notification& call, const SyscallRow& row, CallFacts& out) {
  const auto path = RemoteMemory(call.tid).read_path(RemoteAddress(call.args[row.subject_arg]));
  if (!path) return;
  const bool at = row.subject == Subject::kPathAt;
  out.path = resolve_path(call.tid, at ? call.descriptor(row.subject_arg - 1U) : AT_FDCWD, *path);
}

}  // namespace

void read_subject(const Notification& call, const SyscallRow& row, ConnectRouter& router,
                  CallFacts& out) {
  if (row.subject == Subject::kPath || row.subject == Subject::kPathAt) {
    read_path_subject(call, row, out);
    return;
  }
  Object object = row.subject == Subject::kMapping
                      ? describe_mapping(call.tid, call.args[row.subject_arg])
                      : describe_descriptor(call.tid, call.descriptor(row.subject_arg));
  out.kind = object.kind;
  out.path = std::move(object.path);
  if (out.kind == FdKind::kTcp) {
    out.observer = is_observers(call.tid, call.descriptor(row.subject_arg), router);
  }
}

std::optional<std::uint64_t> read_byte_count(const Notification& call, const SyscallRow& row) {
  const RemoteMemory memory(call.tid);
  switch (row.count) {
    case Count::kNone:
      return std::nullopt;
    case Count::kBytes:
      return call.args[row.count_arg];
    case Count::kPieces:
      return memory.sum_pieces(RemoteAddress(call.args[row.count_arg]),
                               call.args[row.count_arg + 1U]);
    case Count::kMessage: {
      msghdr message = {};
      if (!memory.read_object(RemoteAddress(call.args[row.count_arg]), message))
        return std::nullopt;
      const RemoteAddress pieces(reinterpret_cast<std::uint64_t>(message.msg_iov));
      return memory.sum_pieces(pieces, message.msg_iovlen);
    }
  }
  return std::nullopt;
}

}  // namespace misrule::interceptor
