#include "proxy/net/acceptor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <sys/socket.h>

#include "base/log.h"
#include "proxy/net/command_learner.h"
#include "proxy/net/shard.h"
#include "proxy/net/sniffing.h"
#include "proxy/net/sockets.h"

namespace misrule::proxy {

namespace {

constexpr Logger kLog{"proxy/net"};
constexpr int kAcceptsPerTick = 64;

/// The nearest thing to a refusal that is left once the kernel has accepted for us.
void refuse(UniqueFd client) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

Acceptor::Acceptor(Shard& shard, std::shared_ptr<ListenerRecord> record, UniqueFd fd)
    : shard_(shard),
      record_(std::move(record)),
      fd_(std::move(fd)),
      learner_(std::make_unique<CommandLearner>(shard.loop(), *record_)) {
  shard_.loop().watch(fd_.fd(), *this);
}

Acceptor::~Acceptor() {
  shard_.loop().forget(*this);
  shard_.loop().cancel(retry_);
}

void Acceptor::use(const rules::RuleSet* rules) {
  const auto scope_called = [&](const std::string& interface) {
    return rules == nullptr ? rules::Scope{}
                            : rules->scope({.service = listener().service,
                                            .interface = interface,
                                            .consumer = listener().consumer});
  };
  scopes_ = {scope_called(listener().interface)};
  if (!listener().sniffs) return;
  for (const model::Protocol protocol : kSniffed) {
    scopes_.push_back(scope_called(sniffed_interface(listener().interface, protocol)));
  }
}

const rules::Scope& Acceptor::scope_of(model::Protocol protocol) const {
  if (scopes_.size() == 1) return scope();
  const auto found = std::ranges::find(kSniffed, protocol);
  const auto at = static_cast<std::size_t>(found - kSniffed.begin()) + 1;
  return at < scopes_.size() ? scopes_[at] : scope();
}

void Acceptor::close() {
  shard_.loop().forget(*this);
  shard_.loop().cancel(retry_);
  learner_->stop();
  fd_.reset();
}

void Acceptor::on_event(std::uint32_t) {
  for (int i = 0; i < kAcceptsPerTick && fd_.valid(); ++i) {
    UniqueFd client(shard_.loop().calls().accept(fd_.fd()));
    if (client.valid()) {
      accept_one(std::move(client));
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    try_later();
    return;
  }
  if (fd_.valid()) shard_.loop().again(*this);
}

void Acceptor::try_later() {
  // Out of descriptors: no edge will come for what waits in the backlog.
  kLog.warn("accepting on {}: {}", endpoint_text(listener().listen),
            errno_error("accept", errno).what);
  shard_.loop().cancel(retry_);
  retry_ = shard_.loop().at(shard_.loop().now() + std::chrono::milliseconds(100), [this] {
    retry_ = {};
    shard_.loop().again(*this);
  });
}

void Acceptor::accept_one(UniqueFd client) {
  set_no_delay(client.fd());
  if (auto ready = record_->claim_upstream(shard_.loop().now())) {
    shard_.open_connection(*this, std::move(client), *std::move(ready));
    return;
  }
  auto server = begin_connect(listener(), nullptr);
  if (server) {
    shard_.open_connection(*this, std::move(client), *std::move(server));
  } else {
    kLog.info("{}", server.error().what);
    refuse(std::move(client));
  }
}

}  // namespace misrule::proxy
