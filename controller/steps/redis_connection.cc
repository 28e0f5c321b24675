#include "controller/steps/redis_connection.h"

#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

namespace misrule::controller {
namespace {

constexpr std::size_t kReplyBytesMax = std::size_t{64} << 20U;

std::string encoded(const RedisWords& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(), sizes.data());
  std::string out(command, static_cast<std::size_t>(size));
  redisFreeCommand(command);
  return out;
}

}  // namespace

RedisConnection::RedisConnection(UniqueFd socket)
    : socket_(std::move(socket)), reader_(redisReaderCreate(), &redisReaderFree) {}

Status RedisConnection::send(const RedisWords& words, const Patience& patience) {
  const std::string whole = encoded(words);
  std::string_view bytes = whole;
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno == EAGAIN) MISRULE_TRY_VOID(wait_ready(socket_.fd(), POLLOUT, patience));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return std::unexpected(errno_error("sending the command", errno));
    }
  }
  return {};
}

Result<RedisReply> RedisConnection::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
    return fail(Code::kIo, fmt::format("the reply is not RESP: {}", reader_->errstr));
  }
  if (raw != nullptr) received_ = 0;
  return RedisReply(static_cast<redisReply*>(raw), &freeReplyObject);
}

Result<bool> RedisConnection::receive() {
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::recv(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0) return fail(Code::kIo, "the server closed the connection without a reply");
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    if (got < 0) return std::unexpected(errno_error("waiting for the reply", errno));
    received_ += static_cast<std::size_t>(got);
    if (received_ > kReplyBytesMax) {
      return fail(Code::kIo, fmt::format("the reply exceeds {} bytes", kReplyBytesMax));
    }
    redisReaderFeed(reader_.get(), bytes.data(), static_cast<std::size_t>(got));
    return true;
  }
}

Result<RedisReply> RedisConnection::read(const Patience& patience) {
  for (;;) {
    MISRULE_TRY(RedisReply reply, next());
    if (reply) return reply;
    MISRULE_TRY(const bool got, receive());
    if (!got) MISRULE_TRY_VOID(wait_ready(socket_.fd(), POLLIN, patience));
  }
}

Result<RedisReply> RedisConnection::ask(const RedisWords& words, const Patience& patience) {
  MISRULE_TRY_VOID(send(words, patience));
  return read(patience);
}

Result<RedisReply> RedisConnection::take() {
  for (;;) {
    MISRULE_TRY(RedisReply reply, next());
    if (reply) return reply;
    MISRULE_TRY(const bool got, receive());
    if (!got) return RedisReply(nullptr, &freeReplyObject);
  }
}

}  // namespace misrule::controller
