#include "proxy/net/listener_record.h"

#include <cerrno>

#include <sys/socket.h>

#include "proxy/net/command_learner.h"
#include "proxy/net/tls_listener.h"

namespace misrule::proxy {

namespace {

bool is_alive(const UniqueFd& fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

}  // namespace

ListenerRecord::ListenerRecord(Listener listener) : ListenerRecord(std::move(listener), nullptr) {}

ListenerRecord::ListenerRecord(Listener listener, std::unique_ptr<TlsListener> tls)
    : listener_(std::move(listener)),
      tls_(std::move(tls)),
      commands_(std::make_unique<LearnedCommands>()) {}

ListenerRecord::~ListenerRecord() = default;

void ListenerRecord::offer_upstream(UniqueFd fd, TimePoint until) {
  const std::lock_guard lock(mutex_);
  offered_.push_back({.fd = std::move(fd), .until = until});
}

std::optional<UniqueFd> ListenerRecord::claim_upstream(TimePoint now) {
  drop_unclaimed(now);
  const std::lock_guard lock(mutex_);
  while (!offered_.empty()) {
    UniqueFd fd = std::move(offered_.front().fd);
    offered_.pop_front();
    if (is_alive(fd)) return fd;
  }
  return std::nullopt;
}

void ListenerRecord::drop_unclaimed(TimePoint now) {
  const std::lock_guard lock(mutex_);
  while (!offered_.empty() && offered_.front().until <= now) offered_.pop_front();
}

}  // namespace misrule::proxy
