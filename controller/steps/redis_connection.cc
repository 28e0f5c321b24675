#include "controller/steps/redis_connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

namespace misrule::controller {
namespace {

constexpr std::size_t kReplyBytesMax = std::size_t{64} << 20U;

constexpr std::size_t kElementsMax = std::size_t{1} << 20U;
/// Of a line: a header, an error, a status.
constexpr std::size_t kLineBytesMax = std::size_t{64} << 10U;

using ReplyFunctions = redisReplyObjectFunctions;

/// hiredis makes room for as many elements as a header says.
void* bounded_array(const redisReadTask* task, int elements) {
  auto& announced = *static_cast<std::size_t*>(task->privdata);
  announced += static_cast<std::size_t>(std::max(elements, 0));
  if (announced > kElementsMax) return nullptr;
  static const ReplyFunctions kUsual = [] {
    const std::unique_ptr<redisReader, decltype(&redisReaderFree)> reader(redisReaderCreate(),
                                                                          &redisReaderFree);
    return *reader->fn;
  }();
  return kUsual.createArray(task, elements);
}

redisReader* make_reader(std::size_t& announced) {
  redisReader* reader = redisReaderCreate();
  static ReplyFunctions bounded = [reader] {
    ReplyFunctions functions = *reader->fn;
    functions.createArray = &bounded_array;
    return functions;
  }();
  reader->fn = &bounded;
  reader->privdata = &announced;
  return reader;
}

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
    : socket_(std::move(socket)), reader_(make_reader(*elements_), &redisReaderFree) {}

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
    if (*elements_ > kElementsMax) {
      return fail(Code::kIo, fmt::format("the reply exceeds {} elements", kElementsMax));
    }
    return fail(Code::kIo, fmt::format("the reply is not RESP: {}", reader_->errstr));
  }
  if (raw != nullptr) {
    received_ = *elements_ = 0;
  } else if (has_endless_line()) {
    return fail(Code::kIo,
                fmt::format("the reply is not RESP: a line exceeds {} bytes", kLineBytesMax));
  }
  return RedisReply(static_cast<redisReply*>(raw), &freeReplyObject);
}

/// Between replies and within one, what is not understood yet begins with a line.
bool RedisConnection::has_endless_line() const {
  const std::string_view waiting(reader_->buf, reader_->len);
  const std::string_view rest = waiting.substr(std::min(reader_->pos, waiting.size()));
  return rest.size() > kLineBytesMax &&
         rest.substr(0, kLineBytesMax).find('\n') == std::string_view::npos;
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
