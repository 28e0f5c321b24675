#include "tests/proxy/net/test_bed.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/check.h"
#include "proxy/net/sockets.h"
#include "proxy/net/tls_listener.h"

namespace misrule::proxy::testing {

void KeptEvents::passes(std::string_view from, std::string_view to) {
  course_ += fmt::format("{}>{} ", from, to);
}

std::uint64_t KeptEvents::emit(model::Event event) {
  if (const auto* reply = event.find("reply")) course_ += model::field_text(*reply) + " ";
  events_.push_back(std::move(event));
  return events_.size();
}

std::vector<std::string> KeptEvents::field(std::string_view name) const {
  std::vector<std::string> found;
  for (const model::Event& event : events_) {
    if (const model::Field* field = event.find(name)) found.push_back(model::field_text(*field));
  }
  return found;
}

bool FaultySockets::fails() {
  if (++calls != fail_at) return false;
  errno = error;
  return true;
}

ssize_t FaultySockets::receive(int fd, char* into, std::size_t size) {
  return fails() ? -1 : SocketCalls::receive(fd, into, size);
}

ssize_t FaultySockets::send(int fd, const char* from, std::size_t size) {
  return fails() ? -1 : SocketCalls::send(fd, from, std::min(size, chunk));
}

int FaultySockets::accept(int fd) { return fails() ? -1 : SocketCalls::accept(fd); }

namespace {

using codecs::Act;
using codecs::Direction;

class LineConversation final : public codecs::Conversation {
 public:
  explicit LineConversation(codecs::ConversationHost& host) : host_(host) {}

  codecs::Step walk(Direction direction, ByteView unread) override {
    if (direction == Direction::kToClient) return walk_reply(unread);
    codecs::Step all;
    while (!all.act) {
      const ByteView rest = unread.substr(all.pass);
      const std::size_t newline = rest.find('\n');
      if (newline == ByteView::npos) break;
      codecs::Step one = walk_line(rest.substr(0, newline));
      all.pass += one.pass;
      all.act = std::move(one.act);
    }
    return all;
  }

  std::optional<Act> ended(Direction) override { return std::nullopt; }

  void released(Direction, codecs::Released why) override {
    if (why != codecs::Released::kDue) host_.hold_ended(units_, why);
    let_pass_ = true;
  }

  std::optional<std::uint64_t> held_unit() const override { return std::nullopt; }

 private:
  codecs::Step walk_reply(ByteView unread) {
    if (!unread.starts_with("hold ") || let_pass_) return {.pass = unread.size()};
    return hold(unread.substr(5, unread.find(':') - 5));
  }

  codecs::Step walk_line(ByteView line) {
    if (line_decided_ == 0)
      host_.decide({.unit = ++units_, .protocol = "tcp", .operation = "line"});
    line_decided_ = 0;
    const std::size_t colon = line.find(':');
    const ByteView verb = line.substr(0, colon == ByteView::npos ? 0 : colon);
    const std::string text(colon == ByteView::npos ? "" : line.substr(colon + 1));
    return step(verb, text, line.size() + 1);
  }

  codecs::Step step(ByteView verb, const std::string& text, std::size_t size) {
    if (verb == "swallow") return done({.act = codecs::Substitute{.bytes = size}}, "swallowed");
    if (verb == "swap") {
      return done({.act = codecs::Substitute{.bytes = size, .with = text + "\n"}}, "swapped");
    }
    if (verb == "answer") {
      return done({.act = codecs::Answer{.bytes = size, .with = text + "\n"}}, "answered");
    }
    if (verb == "close") return done({.act = codecs::Close{.to_client = text}}, "closed");
    if (verb == "reset") return done({.act = codecs::Close{.reset = true}}, "reset");
    if (verb.starts_with("hold ") && !let_pass_) return hold(verb.substr(5));
    let_pass_ = false;
    return done({.pass = size}, "passed");
  }

  codecs::Step hold(ByteView seconds) {
    int count = 0;
    std::from_chars(seconds.data(), seconds.data() + seconds.size(), count);
    line_decided_ = units_;
    return {.act = codecs::Hold{.for_at_most = std::chrono::seconds(count), .unit = units_}};
  }

  codecs::Step done(codecs::Step step, std::string reply) {
    host_.exchanged({.unit = units_, .reply = std::move(reply)});
    return step;
  }

  codecs::ConversationHost& host_;
  std::uint64_t units_ = 0;
  std::uint64_t line_decided_ = 0;
  bool let_pass_ = false;
};

std::pair<UniqueFd, UniqueFd> socket_pair() {
  std::array<int, 2> fds{};
  MISRULE_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) ==
                0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace

std::unique_ptr<codecs::Conversation> make_line_conversation(model::Protocol,
                                                             codecs::ConversationHost& host) {
  return std::make_unique<LineConversation>(host);
}

void Peer::send(std::string_view text) const {
  ASSERT_EQ(::send(fd_.fd(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

std::string Peer::receive() {
  std::string all;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t got = ::recv(fd_.fd(), chunk.data(), chunk.size(), 0);
    if (got == 0) at_end_ = true;
    if (got <= 0) return all;
    all.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

void Peer::shut_sending() const { ::shutdown(fd_.fd(), SHUT_WR); }

TestBed::TestBed(ConversationMaker& maker, model::Protocol protocol)
    : TestBed(protocol, nullptr, maker) {}

TestBed::TestBed(model::Protocol protocol, std::unique_ptr<TlsListener> tls,
                 ConversationMaker& maker)
    : shard(Surroundings{
          .options = {.sink = events,
                      .passes = [this](std::string_view from,
                                       std::string_view to) { events.passes(from, to); }},
          .clock = clock,
          .calls = sockets,
          .book = book,
          .cancel_keys = cancel_keys,
          .make_conversation = maker}),
      protocol_(protocol) {
  const Endpoint any = *parse_endpoint("127.0.0.1:0");
  auto listening = listen_on(any, false);
  MISRULE_CHECK(listening.has_value());
  record_ = std::make_shared<ListenerRecord>(Listener{.service = "db",
                                                      .interface = "main",
                                                      .protocol = protocol,
                                                      .consumer = "api",
                                                      .listen = any,
                                                      .upstream = any},
                                             std::move(tls));
  acceptor_ = &shard.listen(record_, *std::move(listening));
}

Pair TestBed::connect() {
  auto [client, near_client] = socket_pair();
  auto [server, near_server] = socket_pair();
  shard.open_connection(*acceptor_, std::move(near_client), std::move(near_server));
  settle();
  return {.client = Peer(std::move(client)), .server = Peer(std::move(server))};
}

void TestBed::settle() {
  // Each tick is bounded; whatever one causes in the kernel, a later one sees.
  for (int i = 0; i < 40; ++i) shard.loop().tick(0);
}

void TestBed::advance(Duration by) {
  clock.advance(by);
  settle();
}

void TestBed::set_rules(std::string_view json) {
  model::RuleSet rules;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(std::string(json), &rules).ok());
  model::Topology topology;
  topology.services.push_back(
      {.name = "db", .interfaces = {{.name = "main", .protocol = protocol_}}});
  auto compiled = rules::RuleSet::compile(rules, topology, book);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().what;
  shard.use(*std::move(compiled));
  settle();
}

}  // namespace misrule::proxy::testing
