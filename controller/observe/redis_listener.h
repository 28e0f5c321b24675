#pragma once

// What a Redis publishes: messages of channels, and notifications of its keyspace.
//
// A PING on the same connection is the barrier: the server works commands off one after the other,
// so what was published before it is in front of its answer.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/observe/line_decoder.h"
#include "controller/observe/listener.h"
#include "controller/steps/redis_connection.h"

namespace misrule::controller {

class RedisListener final : public Listener {
 public:
  struct Subscription {
    std::string pattern = {};  ///< Of channels, as the server understands it.
    bool is_keyspace = false;
    LineDecoder decoder = {};
  };
  /// What happens to the keys that fit a glob, which is as the server understands it.
  static Subscription keys_like(std::string_view glob);

  /// All of one server share a connection, so that they are told in the server's order.
  /// `may_configure`: the server's settings are ours.
  static Result<std::unique_ptr<RedisListener>> start(ListenerParts parts,
                                                      std::vector<Subscription> wanted,
                                                      bool may_configure);
  ~RedisListener() override;

 private:
  RedisListener(ListenerParts parts, std::vector<Subscription> wanted, bool may_configure);

  Status open(const Patience& patience) override;
  void close() override { connection_.reset(); }
  int fd() const override { return connection_ ? connection_->fd() : -1; }
  Status take() override;
  Status ask(std::uint64_t question) override;

  Status log_in(const Patience& patience);
  Status see_to_notifications(const Patience& patience);
  Status subscribe(const Patience& patience);
  void take_reply(const redisReply& reply);
  void take_message(const Subscription& wanted, std::string_view channel, std::string_view text);
  void take_notification(std::string_view channel, std::string_view text);
  bool wants_keyspace() const;

  std::vector<Subscription> wanted_;
  bool may_configure_ = false;
  std::optional<RedisConnection> connection_ = {};
};

}  // namespace misrule::controller
