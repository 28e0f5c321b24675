#pragma once

// One connection to a Redis: commands out, replies in, for steps and for those who listen.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hiredis/hiredis.h>

#include "base/unique_fd.h"
#include "controller/steps/steps.h"
#include "controller/steps/waiting.h"

namespace misrule::controller {

using RedisWords = std::vector<std::string>;
using RedisReply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

inline std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

class RedisConnection {
 public:
  explicit RedisConnection(UniqueFd socket);

  int fd() const { return socket_.fd(); }
  Status send(const RedisWords& words, const Patience& patience);
  /// Waits for one reply.
  Result<RedisReply> read(const Patience& patience);
  Result<RedisReply> ask(const RedisWords& words, const Patience& patience);
  /// The next reply that has come as a whole; null if there is none yet. Does not wait.
  Result<RedisReply> take();

 private:
  Result<RedisReply> next();
  /// False: nothing is there.
  Result<bool> receive();

  UniqueFd socket_;
  std::unique_ptr<redisReader, decltype(&redisReaderFree)> reader_;
  std::size_t received_ = 0;  ///< Since the latest whole reply.
};

}  // namespace misrule::controller
