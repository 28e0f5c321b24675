#include "controller/steps/redis_client.h"

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

constexpr std::size_t kReplyBytesMax = std::size_t{64} << 20U;

using Words = std::vector<std::string>;
using Reader = std::unique_ptr<redisReader, decltype(&redisReaderFree)>;
using Reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

std::string encoded(const Words& words) {
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

class RedisConnection {
 public:
  RedisConnection(UniqueFd socket, const Patience& patience)
      : socket_(std::move(socket)),
        patience_(patience),
        reader_(redisReaderCreate(), &redisReaderFree) {}

  Result<Reply> ask(const Words& words) {
    MISRULE_TRY_VOID(send(encoded(words)));
    for (;;) {
      void* raw = nullptr;
      if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
        return fail(Code::kIo, fmt::format("the reply is not RESP: {}", reader_->errstr));
      }
      if (raw != nullptr) return Reply(static_cast<redisReply*>(raw), &freeReplyObject);
      MISRULE_TRY_VOID(receive());
    }
  }

 private:
  Status send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno == EAGAIN)
        MISRULE_TRY_VOID(wait_ready(socket_.fd(), POLLOUT, patience_));
      if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return std::unexpected(errno_error("sending the command", errno));
      }
    }
    return {};
  }

  Status receive() {
    std::array<char, 65536> bytes;
    for (;;) {
      const ssize_t got = ::recv(socket_.fd(), bytes.data(), bytes.size(), 0);
      if (got > 0) {
        received_ += static_cast<std::size_t>(got);
        if (received_ > kReplyBytesMax) {
          return fail(Code::kIo, fmt::format("the reply exceeds {} bytes", kReplyBytesMax));
        }
        redisReaderFeed(reader_.get(), bytes.data(), static_cast<std::size_t>(got));
        return {};
      }
      if (got == 0) return fail(Code::kIo, "the server closed the connection without a reply");
      if (errno == EAGAIN) {
        MISRULE_TRY_VOID(wait_ready(socket_.fd(), POLLIN, patience_));
      } else if (errno != EINTR) {
        return std::unexpected(errno_error("waiting for the reply", errno));
      }
    }
  }

  UniqueFd socket_;
  Patience patience_;
  Reader reader_;
  std::size_t received_ = 0;
};

std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

void append_json(std::string& out, const redisReply& reply, bool pairs);

void append_elements(std::string& out, const redisReply& reply, bool pairs) {
  out += pairs ? '{' : '[';
  for (std::size_t i = 0; i < reply.elements; ++i) {
    const redisReply& element = *reply.element[i];
    const bool is_name = pairs && i % 2 == 0;
    if (i > 0) out += pairs && !is_name ? ':' : ',';
    append_json(out, element, false);
  }
  out += pairs ? '}' : ']';
}

void append_json(std::string& out, const redisReply& reply, bool pairs) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      out += std::to_string(reply.integer);
      return;
    case REDIS_REPLY_NIL:
      out += "null";
      return;
    case REDIS_REPLY_ARRAY:
      append_elements(out, reply, pairs && reply.elements % 2 == 0);
      return;
    default:
      append_json_string(out, text_of(reply));
      return;
  }
}

dsl::StepReply reply_from(const redisReply& reply, bool pairs) {
  dsl::StepReply out;
  if (reply.type == REDIS_REPLY_ERROR) {
    out.error = text_of(reply);
    out.code = out.error.substr(0, out.error.find(' '));
    return out;
  }
  out.ok = true;
  append_json(out.data.text, reply, pairs);
  const bool is_text = reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS;
  out.body = is_text ? std::string(text_of(reply)) : out.data.text;
  return out;
}

}  // namespace

dsl::StepReply run_redis(const dsl::RedisStep& step, const StepTarget& target,
                         const Patience& patience) {
  auto socket = connect_tcp(target, patience);
  if (!socket) return {.error = socket.error().what};
  RedisConnection connection(*std::move(socket), patience);
  if (!target.password.empty()) {
    const auto allowed = connection.ask({"AUTH", target.password});
    if (!allowed) return {.error = allowed.error().what};
    if ((*allowed)->type == REDIS_REPLY_ERROR) return reply_from(**allowed, false);
  }
  const auto reply = connection.ask(step.words);
  if (!reply) return {.error = reply.error().what};
  return reply_from(**reply, step.pairs);
}

}  // namespace misrule::controller
