#include "proxy/net/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "proxy/net/tls_session.h"
#include "proxy/net/unix_sockets.h"

namespace misrule::proxy {

namespace {
constexpr std::uint32_t kHangUp = EPOLLHUP | EPOLLERR;
}  // namespace

Stream::Stream(Loop& loop, UniqueFd fd, StreamOwner& owner)
    : loop_(loop), owner_(owner), fd_(std::move(fd)), turns_(loop) {
  loop_.watch(fd_.fd(), *this);
}

Stream::~Stream() {
  loop_.forget(*this);
  if (buffer_.bytes) loop_.buffers().give(buffer_);
}

void Stream::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Stream::shutdown_send() { ::shutdown(fd_.fd(), SHUT_WR); }

std::string Stream::peer_text() const {
  Endpoint peer;
  peer.size = sizeof peer.address;
  auto* address = reinterpret_cast<sockaddr*>(&peer.address);
  if (::getpeername(fd_.fd(), address, &peer.size) != 0) return "gone";
  return is_unix(peer) ? "unix" : endpoint_text(peer);
}

void Stream::reset_on_close() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Stream::abort() {
  ended_ = broken_ = true;
  loop_.forget(*this);
  if (reader_) loop_.defer(std::exchange(reader_, {}));
  if (writer_) loop_.defer(std::exchange(writer_, {}));
}

void Stream::on_event(std::uint32_t events) {
  if (ended_ && broken_) return;
  if ((events & (EPOLLRDHUP | kHangUp)) != 0) ending_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | kHangUp)) != 0) {
    readable_ = true;
    gone_ = gone_ || (events & kHangUp) != 0;
    const bool unattended = !reader_;
    if (reader_ && (wire_only_ || try_read())) std::exchange(reader_, {}).resume();
    if (unattended && (events & kHangUp) != 0) owner_.peer_gone(*this);
  }
  if ((events & (EPOLLOUT | kHangUp)) != 0) {
    writable_ = true;
    if (writer_ && try_write()) std::exchange(writer_, {}).resume();
  }
}

bool Stream::stands() const {
  int problem = 0;
  socklen_t size = sizeof problem;
  return !broken_ && ::getsockopt(fd_.fd(), SOL_SOCKET, SO_ERROR, &problem, &size) == 0 &&
         problem == 0;
}

bool Stream::may_read_on() {
  if (++burst_ < kBurst) return true;
  burst_ = 0;
  yielding_ = readable_ && !ended_;
  return !yielding_;
}

void Stream::park_reader(std::coroutine_handle<> h) {
  reader_ = h;
  if (std::exchange(yielding_, false)) loop_.again(*this);
}

bool Stream::nothing_now() {
  readable_ = false;
  burst_ = 0;
  release_buffer();
  return false;
}

bool Stream::end(bool by_reset) {
  ended_ = true;
  reset_ = by_reset;
  if (begin_ == end_) release_buffer();
  return true;
}

bool Stream::try_read() {
  if (ended_) return true;
  if (tls_ != nullptr) [[unlikely]]
    return try_read_through();
  if (!readable_) return nothing_now();
  if (!make_room()) return end(true);
  const std::size_t room = buffer_.size - end_;
  const ssize_t got = loop_.calls().receive(fd_.fd(), buffer_.bytes.get() + end_, room);
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    const bool filled = static_cast<std::size_t>(got) == room;
    next_size_ = filled ? BufferPool::kLarge : BufferPool::kSmall;
    // A short read emptied the socket: the recv that would say EAGAIN is saved. Not so once the
    // peer has hung up: its FIN may have come in the same edge, and no other edge will.
    readable_ = ending_ || filled;
    return true;
  }
  if (got == 0) return end(false);
  if (errno == EAGAIN) return nothing_now();
  if (errno == EINTR) return try_read();
  return end(true);
}

// A reader comes back until it is told EAGAIN, and this says so only when TLS has nothing left.
bool Stream::try_read_through() {
  if (!make_room()) return end(true);
  const ssize_t got = tls_->read(buffer_.bytes.get() + end_, buffer_.size - end_);
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    return true;
  }
  if (got == 0) return end(false);
  return errno == EAGAIN ? nothing_now() : end(true);
}

ssize_t Stream::receive(char* into, std::size_t size) {
  while (readable_ && !ended_) {
    const ssize_t got = loop_.calls().receive(fd_.fd(), into, size);
    if (got > 0) readable_ = ending_ || static_cast<std::size_t>(got) == size;
    if (got < 0 && errno == EAGAIN) break;
    if (got >= 0 || errno != EINTR) return got;
  }
  readable_ = false;
  errno = ended_ ? ECONNABORTED : EAGAIN;
  return -1;
}

void Stream::send_now(ByteView bytes) {
  if (writer_ || !writable_ || broken_ || bytes.empty()) return;
  loop_.calls().send(fd_.fd(), bytes.data(), bytes.size());
}

bool Stream::make_room() {
  const std::size_t held = end_ - begin_;
  if (held == 0 && buffer_.size != next_size_) release_buffer();
  if (!buffer_.bytes) buffer_ = loop_.buffers().take(next_size_);
  if (begin_ > 0) {
    std::memmove(buffer_.bytes.get(), buffer_.bytes.get() + begin_, held);
    begin_ = 0;
    end_ = held;
  }
  if (end_ < buffer_.size) return true;
  if (buffer_.size >= kGatheredMax) return false;
  // It moves into buffer_ below.
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  Buffer grown = BufferPool::fresh(buffer_.size * 2);
  std::memcpy(grown.bytes.get(), buffer_.bytes.get(), held);
  loop_.buffers().give(buffer_);
  buffer_ = std::move(grown);
  return true;
}

bool Stream::try_write() {
  while (writable_ && !broken_ && !unsent_.empty()) {
    const ssize_t sent = loop_.calls().send(fd_.fd(), unsent_.data(), unsent_.size());
    if (sent >= 0) {
      unsent_.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      writable_ = false;
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  return broken_ || (writable_ && unsent_.empty());
}

void Stream::release_buffer() {
  if (!buffer_.bytes || begin_ != end_) return;
  begin_ = end_ = 0;
  loop_.buffers().give(buffer_);
}

}  // namespace misrule::proxy
