#include "proxy/net/sniffing.h"

#include <algorithm>
#include <utility>

#include "spec/model/rules.pb.h"

namespace misrule::proxy {

namespace {

using codecs::Act;
using codecs::Direction;
using codecs::Released;
using codecs::Step;
using model::Protocol;

/// Longer than any beginning that tells.
constexpr std::size_t kEnough = 16;

std::optional<Protocol> protocol_of(const model::Rule& rule) {
  if (rule.has_postgres()) return Protocol::kPostgres;
  if (rule.has_http()) return Protocol::kHttp;
  if (rule.has_redis()) return Protocol::kRedis;
  return std::nullopt;
}

std::uint32_t big_endian(ByteView four) {
  std::uint32_t value = 0;
  for (const char byte : four.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

/// A startup packet, or a request for encryption or cancellation: its length, then a code.
std::optional<bool> is_postgres(ByteView bytes) {
  constexpr std::uint32_t kPacketMax = 10'000;  // The server's own limit.
  constexpr std::uint32_t kRequests = 1234;
  if (bytes.front() != '\0') return false;
  if (bytes.size() < 8) return std::nullopt;
  const std::uint32_t length = big_endian(bytes);
  const std::uint32_t major = big_endian(bytes.substr(4)) >> 16U;
  return length >= 8 && length <= kPacketMax && (major == 3 || major == kRequests);
}

/// A method, and what can follow it. ("GET key" is a command of Redis.)
std::optional<bool> is_http(ByteView bytes) {
  constexpr std::string_view kMethods[] = {"GET ",     "HEAD ",    "POST ",  "PUT ",  "DELETE ",
                                           "CONNECT ", "OPTIONS ", "TRACE ", "PATCH "};
  for (const std::string_view method : kMethods) {
    if (method.starts_with(bytes)) return std::nullopt;
    if (!bytes.starts_with(method)) continue;
    const char next = bytes[method.size()];
    return next == '/' || next == '*' || next == 'h' || method == "CONNECT ";
  }
  return false;
}

/// A command of clients: an array, whose length follows. (What people type looks like anything.)
std::optional<bool> is_redis(ByteView bytes) {
  if (bytes.front() != '*') return false;
  if (bytes.size() < 2) return std::nullopt;
  return bytes[1] >= '0' && bytes[1] <= '9';
}

class SniffingConversation final : public codecs::Conversation {
 public:
  SniffingConversation(codecs::ConversationHost& host, ConversationOf make)
      : host_(host), make_(std::move(make)) {}

  Step walk(Direction direction, ByteView unread) override {
    if (inner_) return inner_->walk(direction, unread);
    if (unread.empty()) return {};
    std::optional<Protocol> protocol = Protocol::kTcp;
    if (direction == Direction::kToServer) protocol = sniff(unread);
    if (!protocol) {
      undecided_ = unread;
      return {};
    }
    settle(*protocol);
    // What a conversation is asked before any byte has come.
    Step first = inner_->walk(Direction::kToServer, {});
    if (first.act && direction == Direction::kToServer) return first;
    return inner_->walk(direction, unread);
  }

  std::optional<Act> ended(Direction direction) override {
    if (inner_) return inner_->ended(direction);
    settle(Protocol::kTcp);
    std::optional<Act> last = inner_->ended(direction);
    if (last || direction != Direction::kToServer || undecided_.empty()) return last;
    return codecs::Substitute{.bytes = undecided_.size(), .with = undecided_};
  }

  void released(Direction direction, Released why) override {
    if (inner_) inner_->released(direction, why);
  }
  std::optional<std::uint64_t> held_unit() const override {
    return inner_ ? inner_->held_unit() : std::nullopt;
  }
  std::string_view state() const override { return inner_ ? inner_->state() : "silent"; }

 private:
  void settle(Protocol protocol) {
    host_.speaks(model::protocol_name(protocol));
    inner_ = make_(protocol);
  }

  codecs::ConversationHost& host_;
  ConversationOf make_;
  std::unique_ptr<codecs::Conversation> inner_;
  std::string undecided_;  // At most kEnough bytes.
};

}  // namespace

std::string sniffed_interface(std::string_view interface, Protocol protocol) {
  return fmt::format("{}.{}", interface, model::protocol_name(protocol));
}

void declare_sniffed(model::Service& service, const std::string& interface) {
  for (const Protocol protocol : kSniffed) {
    service.interfaces.push_back(
        {.name = sniffed_interface(interface, protocol), .protocol = protocol});
  }
}

void aim_at_sniffed(const Listener& listener, model::RuleSet& rules) {
  if (!listener.sniffs) return;
  for (model::Rule& rule : *rules.mutable_rules()) {
    model::Target& target = *rule.mutable_target();
    const bool meant =
        target.service() == listener.service && target.interface() == listener.interface;
    const auto protocol = protocol_of(rule);
    if (meant && protocol) target.set_interface(sniffed_interface(listener.interface, *protocol));
  }
}

std::optional<Protocol> sniff(ByteView first_bytes) {
  const ByteView bytes = first_bytes.substr(0, kEnough);
  if (bytes.empty()) return std::nullopt;
  const auto postgres = is_postgres(bytes);
  const auto http = is_http(bytes);
  const auto redis = is_redis(bytes);
  if (postgres == true) return Protocol::kPostgres;
  if (http == true) return Protocol::kHttp;
  if (redis == true) return Protocol::kRedis;
  if (postgres == false && http == false && redis == false) return Protocol::kTcp;
  return std::nullopt;
}

std::unique_ptr<codecs::Conversation> make_sniffing_conversation(codecs::ConversationHost& host,
                                                                 ConversationOf make) {
  return std::make_unique<SniffingConversation>(host, std::move(make));
}

}  // namespace misrule::proxy
