#pragma once

// One connection to a Redis: commands out, replies in, for steps and for those who listen.
//
// What comes is a peer's: a reply has at most 64 MiB, a million elements and lines of 64 KiB, and
// no header makes anything of the size that it announces.

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
  bool has_endless_line() const;
  /// False: nothing is there.
  Result<bool> receive();

  UniqueFd socket_;
  /// Announced since the latest whole reply; the reader knows where it is.
  std::unique_ptr<std::size_t> elements_ = std::make_unique<std::size_t>(0);
  std::unique_ptr<redisReader, decltype(&redisReaderFree)> reader_;
  std::size_t received_ = 0;  ///< Since the latest whole reply.
};

}  // namespace misrule::controller
