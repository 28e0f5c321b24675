#pragma once

// One loop with everything that lives and dies on it: acceptors, connections, the rules in force.
//
// All but the constructor, loop().post() and cancel_held() belongs to the loop's thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/cancel_keys.h"
#include "proxy/net/connection.h"
#include "proxy/net/conversations.h"
#include "proxy/net/counts.h"
#include "proxy/net/loop.h"
#include "proxy/net/node_routes.h"
#include "proxy/rules/rule_set.h"

namespace misrule::proxy {

/// What the loops of one proxy have in common; outlives them.
struct Surroundings {
  Options options;
  const Clock& clock;
  SocketCalls& calls;
  rules::RuleBook& book;
  CancelKeys& cancel_keys;
  ConversationMaker& make_conversation;
  NodeRoutes* routes = nullptr;  ///< Null: there are none.
};

class Shard {
 public:
  explicit Shard(const Surroundings& surroundings);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Loop& loop() { return loop_; }
  const Options& options() const { return surroundings_.options; }
  rules::RuleBook& book() const { return surroundings_.book; }
  CancelKeys& cancel_keys() { return surroundings_.cancel_keys; }
  ShardCounts& counts() { return counts_; }
  std::unique_ptr<codecs::Conversation> make_conversation(model::Protocol protocol,
                                                          codecs::ConversationHost& host) const {
    return surroundings_.make_conversation(protocol, host);
  }

  Acceptor& listen(std::shared_ptr<ListenerRecord> record, UniqueFd fd);
  /// "host:port" of a listener for a server that the one behind `origin` spoke of; empty: none.
  /// `met_at`: where the client of that has connected to.
  std::string route_to(const ListenerRecord& origin, const Endpoint& met_at, std::string_view node);
  void open_connection(Acceptor& acceptor, UniqueFd client, UniqueFd server);
  /// By the connection itself, when both of its directions are over.
  void connection_ended(std::uint64_t number);

  /// What a vanished rule holds goes on.
  void use(std::shared_ptr<const rules::RuleSet> rules);
  /// Lets go what the rule of this tag holds; how many units.
  std::size_t release(std::uint64_t tag);
  /// Thread-safe: lets what is held there go on as cancelled.
  void cancel_held(std::uint64_t connection);
  std::size_t cut(std::string_view consumer, std::string_view service, std::string_view interface);
  /// Of at most so many.
  std::vector<ConnectionState> connections(std::size_t count_max) const;
  /// Ends run() when the last connection is over; those that stand at the deadline are ended.
  /// Again: the nearer deadline counts.
  void drain(TimePoint deadline);

 private:
  void kill_all();

  const Surroundings surroundings_;
  ShardCounts counts_;
  Loop loop_;
  std::shared_ptr<const rules::RuleSet> rules_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::uint64_t connections_made_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  bool draining_ = false;
};

}  // namespace misrule::proxy
