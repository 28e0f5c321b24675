#include "interceptor/notify/connect.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "interceptor/notify/objects.h"
#include "interceptor/notify/process.h"

namespace misrule::interceptor {
namespace {

constexpr int kTcpRtoMaxMs = 44;  // In kernels from 6.15; Debian's headers are older.

int socket_option(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_fresh(int socket) {
  tcp_info state = {};
  socklen_t size = sizeof(state);
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &state, &size) != 0) return true;
  if (state.tcpi_state != TCP_CLOSE) return false;
  pollfd look = {.fd = socket, .events = 0, .revents = 0};
  // An error that waits to be told is the outcome of an earlier call.
  return poll(&look, 1, 0) <= 0 || (look.revents & POLLERR) == 0;
}

// Proxies listen on IPv4 alone, which a socket that wants nothing but IPv6 does not reach.
void allow_mapped(int socket) {
  const int off = 0;
  setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
}

// The flag belongs to the open description, so the process would see it: only while its thread is
// inside connect() and only for as long as ours takes.
class NonBlockingFor {
 public:
  NonBlockingFor(int socket, bool needed) : socket_(socket), flags_(fcntl(socket, F_GETFL)) {
    needed_ = needed && flags_ >= 0;
    if (needed_) fcntl(socket_, F_SETFL, flags_ | O_NONBLOCK);
  }
  ~NonBlockingFor() {
    if (needed_) fcntl(socket_, F_SETFL, flags_);
  }
  NonBlockingFor(const NonBlockingFor&) = delete;
  NonBlockingFor& operator=(const NonBlockingFor&) = delete;

 private:
  int socket_;
  int flags_;
  bool needed_ = false;
};

}  // namespace

Result<ConnectCall> read_connect(const Notification& call) {
  ConnectCall out;
  out.id = call.id;
  out.tid = call.tid;
  const RemoteMemory memory(call.tid);
  // The size is an int: what stands in the register's upper half means nothing.
  const auto size = static_cast<std::uint32_t>(call.args[2]);
  const auto destination = read_destination(memory, RemoteAddress(call.args[1]), size);
  if (!destination) return fail(Code::kInvalid, "no address that can be read");
  out.destination = normalised(*destination);
  MISRULE_TRY(out.socket, duplicate_descriptor(call.tid, call.descriptor(0)));
  const int family = socket_option(out.socket.fd(), SO_DOMAIN);
  if (family < 0) return fail(Code::kInvalid, "not a socket");
  out.family = static_cast<sa_family_t>(family);
  const bool is_tcp = is_tcp_protocol(socket_option(out.socket.fd(), SO_PROTOCOL));
  out.kind = is_tcp && out.destination.is_internet() ? FdKind::kTcp : FdKind::kSocket;
  out.blocking = (fcntl(out.socket.fd(), F_GETFL) & O_NONBLOCK) == 0;
  if (is_tcp) out.fresh = is_fresh(out.socket.fd());
  return out;
}

ConnectAnswer connect_through(const ConnectCall& call, const Destination& to) {
  const auto reachable = for_family(to, call.family);
  if (!reachable) return {.kind = ConnectAnswer::Kind::kFail, .error = EAFNOSUPPORT};
  if (call.family == AF_INET6) allow_mapped(call.socket.fd());
  int error = 0;
  {
    const NonBlockingFor scope(call.socket.fd(), call.blocking);
    const auto* address = reinterpret_cast<const sockaddr*>(&reachable->address);
    if (connect(call.socket.fd(), address, reachable->size) != 0) error = errno;
  }
  if (error == 0) return {.kind = ConnectAnswer::Kind::kSucceed};
  // On a socket that is connecting, a blocking connect() waits for the attempt under way and does
  // not look at the address: time limit, signals and outcome are the kernel's own.
  if (error == EINPROGRESS && call.blocking) return {.kind = ConnectAnswer::Kind::kGoOn};
  return {.kind = ConnectAnswer::Kind::kFail, .error = error};
}

ConnectAnswer connect_gated(const ConnectCall& call, const Destination& to) {
  const int socket = call.socket.fd();
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program = {.len = 1, .filter = &drop};
  setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
  // Retransmissions that back off would let the connection come much later than it should. Not in
  // every kernel; it comes then, later.
  const int rto_max_ms = 1000;
  setsockopt(socket, IPPROTO_TCP, kTcpRtoMaxMs, &rto_max_ms, sizeof(rto_max_ms));
  const ConnectAnswer answer = connect_through(call, to);
  if (answer.error != EINPROGRESS) open_gate(call);
  return answer;
}

void open_gate(const ConnectCall& call) {
  const int unused = 0;
  const int rto_max_ms = 120'000;  // The kernel's own.
  setsockopt(call.socket.fd(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
  setsockopt(call.socket.fd(), IPPROTO_TCP, kTcpRtoMaxMs, &rto_max_ms, sizeof(rto_max_ms));
}

void abandon(const ConnectCall& call) {
  const sockaddr unspecified = {.sa_family = AF_UNSPEC, .sa_data = {}};
  // It fails only where there is no attempt any more.
  [[maybe_unused]] const int ended = connect(call.socket.fd(), &unspecified, sizeof(unspecified));
}

}  // namespace misrule::interceptor
