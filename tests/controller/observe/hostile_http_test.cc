// A peer that is to send a stream of events and sends something else.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/observe/http_tail.h"

namespace misrule::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
std::string event_of(const std::string& text) { return "data: " + text + "\n\n"; }

class Told final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override {
    const std::scoped_lock lock(mutex_);
    const bool is_line = event.type == "tail_http";
    texts_.push_back(model::field_text(*event.find(is_line ? "body" : "action")));
    grown_.notify_all();
    return texts_.size();
  }
  /// Once there are so many.
  std::vector<std::string> texts(std::size_t count) {
    std::unique_lock lock(mutex_);
    grown_.wait_for(lock, std::chrono::seconds(60), [&] { return texts_.size() >= count; });
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<std::string> texts_;
};

/// Of what is said to a connection: the rest is sent when the first of it has been told.
constexpr char kOnceTold = '\x1f';

/// Says to each connection what stands there for it, and hangs up; but not on the last one.
class Peer {
 public:
  Peer(Told& told, std::vector<std::string> says) : told_(told), says_(std::move(says)) {
    listening_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {::htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listening_.fd(), generic, size), 0);
    EXPECT_EQ(::listen(listening_.fd(), 16), 0);
    EXPECT_EQ(::getsockname(listening_.fd(), generic, &size), 0);
    port_ = ::ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Peer() {
    ::shutdown(listening_.fd(), SHUT_RDWR);
    thread_.join();
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    for (const std::string& text : says_) {
      UniqueFd client(::accept4(listening_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      await_request(client.fd());
      const std::size_t end = text.find(kOnceTold);
      send_all(client.fd(), std::string_view(text).substr(0, end));
      if (end != std::string::npos) {
        told_.texts(told_wanted_);
        told_wanted_ += 2;  // And the gap.
        send_all(client.fd(), std::string_view(text).substr(end + 1));
      }
      if (&text == &says_.back()) kept_ = std::move(client);
    }
  }
  static void send_all(int fd, std::string_view left) {
    while (!left.empty()) {
      const ssize_t sent = ::send(fd, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  static void await_request(int fd) {
    std::string got;
    char byte = 0;
    while (!got.ends_with("\r\n\r\n") && ::read(fd, &byte, 1) == 1) got += byte;
  }

  Told& told_;
  const std::vector<std::string> says_;
  std::size_t told_wanted_ = 1;
  UniqueFd listening_;
  UniqueFd kept_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class HostileHttp : public testing::Test {
 protected:
  Result<std::unique_ptr<HttpTail>> start(const Peer& peer) {
    return HttpTail::start({.service = "feed",
                            .types = {"tail_http"},
                            .name = "tail_http(/sse)",
                            .target = {.host = "127.0.0.1", .port = peer.port()},
                            .sink = told_,
                            .is_up = [] { return true; }},
                           {.url = "/sse", .path = "/sse", .authority = "localhost"});
  }

  Told told_;
};

TEST_F(HostileHttp, AnEarlyEndIsAGap) {
  const Peer peer(
      told_, {kHead + ("\r\n" + event_of("one") + kOnceTold), kHead + ("\r\n" + event_of("two"))});
  const auto tail = start(peer);
  ASSERT_TRUE(tail) << tail.error().what;
  EXPECT_THAT(told_.texts(3), ElementsAre("one", "gap", "two"));
}

TEST_F(HostileHttp, WhatIsNoHttpIsGivenUpAndAskedAgain) {
  const std::string endless_line = "HTTP/1.1 200 " + std::string(200'000, 'x');
  const std::string endless_head = kHead + ("X-Long: " + std::string(200'000, 'x') + "\r\n\r\n");
  const Peer peer(told_,
                  {"", std::string("\0\1\2\3\r\n\r\n", 8), endless_line, endless_head,
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
                   kHead + ("\r\n" + event_of("one"))});
  const auto tail = start(peer);
  ASSERT_TRUE(tail) << tail.error().what;
  EXPECT_THAT(told_.texts(1), ElementsAre("one"));
}

TEST_F(HostileHttp, ChunksThatAreNoneEndTheConnection) {
  const std::string chunked = kHead + std::string("Transfer-Encoding: chunked\r\n\r\n");
  const std::string one = event_of("one");
  const std::string whole = fmt::format("{:x}\r\n{}\r\n", one.size(), one);
  const Peer peer(told_, {chunked + whole + kOnceTold + "zz\r\n",
                          chunked + whole + kOnceTold + "ffffffffffffffff0\r\n", chunked + whole});
  const auto tail = start(peer);
  ASSERT_TRUE(tail) << tail.error().what;
  EXPECT_THAT(told_.texts(5), ElementsAre("one", "gap", "one", "gap", "one"));
}

TEST_F(HostileHttp, ALineWithoutAnEndIsToldUpToABound) {
  const std::string line = "data: " + std::string(std::size_t{5} << 20U, 'x');
  const Peer peer(told_, {kHead + ("\r\n" + line + "\n\n" + event_of("two"))});
  const auto tail = start(peer);
  ASSERT_TRUE(tail) << tail.error().what;
  const auto texts = told_.texts(2);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_LE(texts[0].size(), std::size_t{1} << 20U);
  EXPECT_EQ(texts[1], "two");
}

TEST_F(HostileHttp, WhoRefusesOrEndsIsNoStream) {
  const Peer refusing(told_, {"HTTP/1.1 404 Not Found\r\n\r\n"});
  const auto refused = start(refusing);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("tail_http(/sse) of feed: the answer is 404"));
  const Peer ending(told_, {kHead + std::string("Content-Length: 2\r\n\r\nok")});
  const auto ended = start(ending);
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().what, HasSubstr("it is no stream"));
}

}  // namespace
}  // namespace misrule::controller
