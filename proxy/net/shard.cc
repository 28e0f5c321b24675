#include "proxy/net/shard.h"

#include <utility>

#include "proxy/net/sockets.h"
#include "proxy/net/tls_listener.h"

namespace misrule::proxy {

Shard::Shard(const Surroundings& surroundings)
    : surroundings_(surroundings), loop_(surroundings.clock, surroundings.calls) {}

Shard::~Shard() {
  // A loop that never ran, or was not drained: the pumps end before what they use.
  kill_all();
  loop_.tick(0);
}

Acceptor& Shard::listen(std::shared_ptr<ListenerRecord> record, UniqueFd fd) {
  acceptors_.push_back(std::make_unique<Acceptor>(*this, std::move(record), std::move(fd)));
  acceptors_.back()->use(rules_.get());
  return *acceptors_.back();
}

std::string Shard::route_to(const ListenerRecord& origin, const Endpoint& met_at,
                            std::string_view node) {
  if (surroundings_.routes == nullptr || draining_) return {};
  const auto open = [&](Listener wanted) -> Result<Endpoint> {
    std::unique_ptr<TlsListener> tls;
    if (origin.tls() != nullptr) {
      MISRULE_TRY(tls, origin.tls()->like(wanted));
    }
    MISRULE_TRY(UniqueFd fd, listen_on(wanted.listen, false));
    wanted.listen = bound_to(fd);
    const Endpoint at = wanted.listen;
    listen(std::make_shared<ListenerRecord>(std::move(wanted), std::move(tls)), std::move(fd));
    return at;
  };
  return surroundings_.routes->find({.listener = origin.listener(), .met_at = met_at}, node, open);
}

void Shard::open_connection(Acceptor& acceptor, UniqueFd client, UniqueFd server) {
  counts_.connections_total.add(1);
  counts_.connections_open.add(1);
  const std::uint64_t number = ++connections_made_;
  Connection::Ends ends{.client = std::move(client), .server = std::move(server)};
  auto connection = std::make_unique<Connection>(*this, acceptor, number, std::move(ends));
  Connection& started = *connection;
  connections_.emplace(number, std::move(connection));
  started.start();
}

void Shard::connection_ended(std::uint64_t number) {
  const auto it = connections_.find(number);
  counts_.connections_open.take(1);
  loop_.bury(std::shared_ptr<Connection>(std::move(it->second)));
  connections_.erase(it);
  if (draining_ && connections_.empty()) loop_.quit();
}

void Shard::use(std::shared_ptr<const rules::RuleSet> rules) {
  for (const auto& acceptor : acceptors_) acceptor->use(rules.get());
  rules_ = std::move(rules);
  for (const auto& [number, connection] : connections_) {
    connection->release_held([this](std::uint64_t tag) { return !rules_->contains(tag); });
    connection->use_link_faults();
  }
}

std::size_t Shard::release(std::uint64_t tag) {
  std::size_t released = 0;
  for (const auto& [number, connection] : connections_)
    released += connection->release_by_hand(tag);
  return released;
}

void Shard::cancel_held(std::uint64_t connection) {
  loop_.post([this, connection] {
    const auto it = connections_.find(connection);
    if (it != connections_.end()) it->second->cancel_held();
  });
}

std::size_t Shard::cut(std::string_view consumer, std::string_view service,
                       std::string_view interface) {
  std::size_t count = 0;
  for (const auto& [number, connection] : connections_) {
    const Listener& listener = connection->acceptor().listener();
    const bool meant = listener.consumer == consumer && listener.service == service &&
                       (interface.empty() || listener.interface == interface);
    if (!meant) continue;
    connection->reset();
    ++count;
  }
  return count;
}

std::vector<ConnectionState> Shard::connections(std::size_t count_max) const {
  std::vector<ConnectionState> states;
  for (const auto& [number, connection] : connections_) {
    if (states.size() >= count_max) break;
    states.push_back(connection->state());
  }
  return states;
}

void Shard::drain(TimePoint deadline) {
  draining_ = true;
  for (const auto& acceptor : acceptors_) acceptor->close();
  if (connections_.empty()) {
    loop_.quit();
  } else {
    loop_.at(deadline, [this] { kill_all(); });
  }
}

void Shard::kill_all() {
  for (const auto& [number, connection] : connections_) connection->kill();
}

}  // namespace misrule::proxy
