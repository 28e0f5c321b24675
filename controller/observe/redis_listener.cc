#include "controller/observe/redis_listener.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace misrule::controller {
namespace {

constexpr std::string_view kKeyspace = "__keyspace@";
constexpr std::string_view kSetting = "notify-keyspace-events";
constexpr auto kAskWithin = std::chrono::seconds(10);
constexpr std::string_view kMark = "misrule-";

bool is_text(const redisReply& reply) {
  return reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS;
}

std::string_view element_text(const redisReply& reply, std::size_t index) {
  if (index >= reply.elements || !is_text(*reply.element[index])) return {};
  return text_of(*reply.element[index]);
}

Status refused(const redisReply& reply, std::string_view what) {
  if (reply.type != REDIS_REPLY_ERROR) return {};
  const std::string_view why = text_of(reply);
  // "LOADING": it has just been started.
  const bool passes = why.starts_with("LOADING") || why.starts_with("BUSY");
  return fail(passes ? Code::kRefused : Code::kInvalid, fmt::format("{}: {}", what, why));
}

}  // namespace

RedisListener::RedisListener(ListenerParts parts, std::vector<Subscription> wanted,
                             bool may_configure)
    : Listener(std::move(parts)), wanted_(std::move(wanted)), may_configure_(may_configure) {}

RedisListener::Subscription RedisListener::keys_like(std::string_view glob) {
  return {.pattern = fmt::format("{}*__:{}", kKeyspace, glob), .is_keyspace = true};
}

bool RedisListener::wants_keyspace() const {
  return std::ranges::any_of(wanted_, &Subscription::is_keyspace);
}

RedisListener::~RedisListener() { end(); }

Result<std::unique_ptr<RedisListener>> RedisListener::start(ListenerParts parts,
                                                            std::vector<Subscription> wanted,
                                                            bool may_configure) {
  std::unique_ptr<RedisListener> made(
      new RedisListener(std::move(parts), std::move(wanted), may_configure));
  MISRULE_TRY_VOID(made->begin());
  return made;
}

Status RedisListener::open(const Patience& patience) {
  MISRULE_TRY(UniqueFd socket, connect_tcp(parts().target, patience));
  connection_.emplace(std::move(socket));
  MISRULE_TRY_VOID(log_in(patience));
  if (wants_keyspace()) MISRULE_TRY_VOID(see_to_notifications(patience));
  return subscribe(patience);
}

Status RedisListener::log_in(const Patience& patience) {
  if (parts().target.password.empty()) return {};
  MISRULE_TRY(const RedisReply reply,
              connection_->ask({"AUTH", parts().target.password}, patience));
  return refused(*reply, "AUTH");
}

/// Of a server that is ours, at every connection: a restart forgets what was set.
Status RedisListener::see_to_notifications(const Patience& patience) {
  MISRULE_TRY(const RedisReply reply,
              connection_->ask({"CONFIG", "GET", std::string(kSetting)}, patience));
  MISRULE_TRY_VOID(refused(*reply, "it cannot be asked what it notifies of"));
  const std::string has(element_text(*reply, 1));
  if (has.find('K') != std::string::npos && has.find('A') != std::string::npos) return {};
  if (!may_configure_) {
    return fail(Code::kUnsupported,
                fmt::format("the server has {}=\"{}\" and needs \"KA\": CONFIG SET {} KA", kSetting,
                            has, kSetting));
  }
  MISRULE_TRY(const RedisReply set,
              connection_->ask({"CONFIG", "SET", std::string(kSetting), has + "KA"}, patience));
  return refused(*set, fmt::format("CONFIG SET {}", kSetting));
}

Status RedisListener::subscribe(const Patience& patience) {
  RedisWords words = {"PSUBSCRIBE"};
  for (const Subscription& one : wanted_) words.push_back(one.pattern);
  MISRULE_TRY_VOID(connection_->send(words, patience));
  std::size_t confirmed = 0;
  while (confirmed < wanted_.size()) {
    MISRULE_TRY(const RedisReply reply, connection_->read(patience));
    MISRULE_TRY_VOID(refused(*reply, "PSUBSCRIBE"));
    if (element_text(*reply, 0) == "psubscribe") ++confirmed;
    take_reply(*reply);
  }
  return {};
}

Status RedisListener::ask(std::uint64_t question) {
  return connection_->send({"PING", fmt::format("{}{}", kMark, question)},
                           Patience::start(kAskWithin, parts().interrupt_fd));
}

Status RedisListener::take() {
  for (;;) {
    MISRULE_TRY(const RedisReply reply, connection_->take());
    if (!reply) return {};
    take_reply(*reply);
  }
}

void RedisListener::take_reply(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) return;
  const std::string_view kind = element_text(reply, 0);
  if (kind == "pmessage") {
    const auto wanted = std::ranges::find(wanted_, element_text(reply, 1), &Subscription::pattern);
    if (wanted == wanted_.end()) return;
    take_message(*wanted, element_text(reply, 2), element_text(reply, 3));
    return;
  }
  std::string_view mark = element_text(reply, 1);
  if (kind != "pong" || !mark.starts_with(kMark)) return;
  mark.remove_prefix(kMark.size());
  std::uint64_t question = 0;
  std::from_chars(mark.data(), mark.data() + mark.size(), question);
  answered(question);
}

void RedisListener::take_message(const Subscription& wanted, std::string_view channel,
                                 std::string_view text) {
  if (wanted.is_keyspace) {
    take_notification(channel, text);
    return;
  }
  model::Event event = {.type = "pubsub"};
  event.set("body", std::string(text)).set("channel", std::string(channel));
  wanted.decoder.decode(text, event);
  tell(std::move(event), channel.size() + text.size());
}

/// "__keyspace@0__:the key"
void RedisListener::take_notification(std::string_view channel, std::string_view text) {
  const std::size_t end = channel.find("__:");
  if (!channel.starts_with(kKeyspace) || end == std::string_view::npos) return;
  std::int64_t database = 0;
  std::from_chars(channel.data() + kKeyspace.size(), channel.data() + end, database);
  model::Event event = {.type = "keyspace"};
  event.set("action", std::string(text)).set("op", std::string(text));
  event.set("key", std::string(channel.substr(end + 3))).set("database", database);
  tell(std::move(event), channel.size() + text.size());
}

}  // namespace misrule::controller
