// The proxy as other folders see it: threads, real sockets on loopback.

#include <array>
#include <cerrno>
#include <chrono>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "proxy/net/sockets.h"
#include "proxy/proxy.h"
#include "spec/model/rules.pb.h"

namespace misrule::proxy {
namespace {

using std::chrono::seconds;

class NoEvents final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event) override { return ++count_; }

 private:
  std::atomic<std::uint64_t> count_ = 0;
};

/// A server that the test plays by hand.
class HandServer {
 public:
  HandServer() : fd_(*listen_on(*parse_endpoint("127.0.0.1:0"), false)) {}
  Endpoint at() const { return bound_to(fd_); }
  UniqueFd accept(int limit_ms = 2000) const {
    pollfd waited{.fd = fd_.fd(), .events = POLLIN, .revents = 0};
    ::poll(&waited, 1, limit_ms);
    return UniqueFd(::accept4(fd_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  void close() { fd_.reset(); }

 private:
  UniqueFd fd_;
};

/// Blocking from then on.
UniqueFd connect_to(const Endpoint& endpoint) {
  UniqueFd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.fd(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size),
            0);
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

/// What one recv says: its bytes, "end", or the errno's name.
std::string receive(const UniqueFd& fd) {
  std::array<char, 1024> bytes{};
  const ssize_t got = ::recv(fd.fd(), bytes.data(), bytes.size(), 0);
  if (got > 0) return {bytes.data(), static_cast<std::size_t>(got)};
  return got == 0 ? "end" : ::strerrorname_np(errno);
}

void send(const UniqueFd& fd, std::string_view text) {
  ASSERT_EQ(::send(fd.fd(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

class LoopProxyTest : public ::testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
    auto started = Proxy::start({.sink = events_, .loops = GetParam()});
    ASSERT_TRUE(started.has_value());
    proxy_ = *std::move(started);
    auto id = proxy_->add_listener({.service = "db",
                                    .interface = "main",
                                    .protocol = model::Protocol::kTcp,
                                    .consumer = "api",
                                    .listen = *parse_endpoint("127.0.0.1:0"),
                                    .upstream = server_.at()});
    ASSERT_TRUE(id.has_value()) << id.error().what;
    id_ = *id;
  }
  UniqueFd connect() const { return connect_to(proxy_->listening_at(id_)); }

  NoEvents events_;
  HandServer server_;
  std::unique_ptr<Proxy> proxy_;
  ListenerId id_ = 0;
};

TEST_P(LoopProxyTest, CarriesAndCounts) {
  const UniqueFd client = connect();
  const UniqueFd upstream = server_.accept();
  send(client, "ping");
  EXPECT_EQ(receive(upstream), "ping");
  send(upstream, "pong");
  EXPECT_EQ(receive(client), "pong");
  const Counters counters = proxy_->counters();
  EXPECT_EQ(counters.connections_open, 1U);
  EXPECT_EQ(counters.messages_total, 1U);
  EXPECT_EQ(counters.bytes_to_server, 4U);
}

TEST_P(LoopProxyTest, ARefusedUpstreamIsAResetForTheClient) {
  server_.close();
  const UniqueFd client = connect();
  EXPECT_EQ(receive(client), "ECONNRESET");
}

TEST_P(LoopProxyTest, AnUpstreamOpenedInAdvanceIsTheNextConnections) {
  int error_number = -1;
  ASSERT_TRUE(proxy_->open_upstream(id_, &error_number).has_value());
  const UniqueFd upstream = server_.accept();
  ASSERT_TRUE(upstream.valid());
  const UniqueFd client = connect();
  send(client, "ping");
  EXPECT_EQ(receive(upstream), "ping");
  EXPECT_FALSE(server_.accept(50).valid());
}

TEST_P(LoopProxyTest, AnUpstreamNobodyClaimsIsClosedAfterASecond) {
  ASSERT_TRUE(proxy_->open_upstream(id_, nullptr).has_value());
  const UniqueFd upstream = server_.accept();
  EXPECT_EQ(receive(upstream), "end");
}

TEST_P(LoopProxyTest, ARefusalOfTheUpstreamIsTheServersOwn) {
  server_.close();
  int error_number = 0;
  const Status opened = proxy_->open_upstream(id_, &error_number);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kRefused);
  EXPECT_EQ(error_number, ECONNREFUSED);
}

TEST_P(LoopProxyTest, CutResetsBothSides) {
  const UniqueFd client = connect();
  const UniqueFd upstream = server_.accept();
  send(client, "ping");
  EXPECT_EQ(receive(upstream), "ping");
  EXPECT_EQ(proxy_->cut("web", "db", "").connections, 0U);
  EXPECT_EQ(proxy_->cut("api", "db", "main").connections, 1U);
  EXPECT_EQ(receive(client), "ECONNRESET");
  EXPECT_EQ(receive(upstream), "ECONNRESET");
}

TEST_P(LoopProxyTest, AServersResetIsAResetForItsClient) {
  const UniqueFd client = connect();
  UniqueFd upstream = server_.accept();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(upstream.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  upstream.reset();
  EXPECT_EQ(receive(client), "ECONNRESET");
}

TEST_P(LoopProxyTest, StopLetsConnectionsDrainUntilTheDeadline) {
  const UniqueFd client = connect();
  const UniqueFd upstream = server_.accept();
  send(client, "ping");
  EXPECT_EQ(receive(upstream), "ping");
  const auto before = std::chrono::steady_clock::now();
  proxy_->stop(std::chrono::milliseconds(300));
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_LT(took, seconds(5));
  EXPECT_EQ(receive(client), "end");
  EXPECT_EQ(proxy_->counters().connections_open, 0U);
  EXPECT_EQ(proxy_->add_listener({}).error().code, Code::kCancelled);
}

TEST_P(LoopProxyTest, StopOfAnIdleProxyDoesNotWait) {
  const auto before = std::chrono::steady_clock::now();
  proxy_->stop(seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));
}

TEST_P(LoopProxyTest, AWrongRuleChangesNothing) {
  model::RuleSet rules;
  model::Rule& rule = *rules.add_rules();
  rule.set_id("drop-all");
  rule.mutable_target()->set_service("db");
  rule.mutable_target()->set_interface("main");
  rule.mutable_tcp();
  rule.mutable_drop();
  ASSERT_TRUE(proxy_->set_rules(rules).has_value());
  EXPECT_EQ(receive(connect()), "end");
  model::RuleSet wrong;
  *wrong.add_rules() = rule;
  wrong.mutable_rules(0)->mutable_target()->set_service("nowhere");
  EXPECT_FALSE(proxy_->set_rules(wrong).has_value());
  EXPECT_EQ(receive(connect()), "end");
  EXPECT_EQ(proxy_->tallies().at(0).fired, 2U);
  ASSERT_TRUE(proxy_->set_rules({}).has_value());
  const UniqueFd client = connect();
  HandServer& server = server_;
  // The two that were dropped had reached the server's backlog too.
  server.accept();
  server.accept();
  const UniqueFd upstream = server.accept();
  send(client, "ping");
  EXPECT_EQ(receive(upstream), "ping");
}

INSTANTIATE_TEST_SUITE_P(OneLoopAndTwo, LoopProxyTest, ::testing::Values(1U, 2U));

}  // namespace
}  // namespace misrule::proxy
