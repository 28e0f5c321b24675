#include <cstdlib>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "controller/steps/steps.h"

namespace misrule::controller {
namespace {

using dsl::HttpStep;
using dsl::StepReply;
using std::chrono::milliseconds;

UniqueFd listen_anywhere(std::uint16_t& port) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener.fd() < 0) {
    ADD_FAILURE() << "no socket";
    return listener;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.fd(), 8), 0);
  ::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return listener;
}

/// Answers one connection with fixed bytes once the request's head is there.
class CannedServer {
 public:
  explicit CannedServer(const std::string& answer, bool reset = false)
      : listener_(listen_anywhere(port_)),
        thread_([this, answer, reset] { serve(answer, reset); }) {}

  std::uint16_t port() const { return port_; }
  const std::string& request() {
    thread_.join();
    return request_;
  }

 private:
  void serve(const std::string& answer, bool reset) {
    const UniqueFd peer(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    char buffer[4096];
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(peer.fd(), buffer, sizeof buffer, 0);
      if (got <= 0) return;
      request_.append(buffer, static_cast<std::size_t>(got));
    }
    for (const char byte : answer) {  // Byte by byte: a reply arrives as the network likes.
      if (::send(peer.fd(), &byte, 1, MSG_NOSIGNAL) != 1) return;
    }
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (reset) {
      ::setsockopt(peer.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return;
    }
    // Closing with bytes unread would reset the connection.
    ::shutdown(peer.fd(), SHUT_WR);
    while (::recv(peer.fd(), buffer, sizeof buffer, 0) > 0) {
    }
  }

  std::uint16_t port_ = 0;
  UniqueFd listener_;
  std::string request_;
  std::jthread thread_;
};

StepReply run(const HttpStep& step, std::uint16_t port,
              Duration timeout = std::chrono::seconds(10)) {
  return run_step({.step = step, .timeout = timeout}, {.port = port}, -1);
}

TEST(HttpClient, ReadsStatusHeadersBodyAndJson) {
  CannedServer server(
      "HTTP/1.1 201 Created\r\nContent-Type: application/json; charset=utf-8\r\nX-Id: 7\r\n"
      "Content-Length: 9\r\n\r\n{\"id\": 7}");
  const auto reply =
      run({.method = "POST", .path = "/orders?x=1", .body = "{\"a\": 1}"}, server.port());
  EXPECT_TRUE(reply.ok);
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, "{\"id\": 7}");
  EXPECT_EQ(reply.data.text, "{\"id\": 7}");
  EXPECT_EQ(reply.error, "");
  ASSERT_EQ(reply.headers.size(), 3U);
  EXPECT_EQ(reply.headers[1], (std::pair<std::string, std::string>{"x-id", "7"}));
  const std::string& request = server.request();
  EXPECT_TRUE(request.starts_with("POST /orders?x=1 HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(request.find("Content-Length: 8\r\n"), std::string::npos);
}

TEST(HttpClient, HeadersOfTheStepWinAndTextIsText) {
  CannedServer server("HTTP/1.1 204 No Content\r\n\r\n");
  const HttpStep step{.method = "PUT", .path = "/", .body = "...", .headers = {{"X-A", "b"}}};
  EXPECT_EQ(run(step, server.port()).status, 204);
  const std::string& request = server.request();
  EXPECT_NE(request.find("Content-Type: text/plain"), std::string::npos) << request;
  EXPECT_NE(request.find("X-A: b\r\n"), std::string::npos);
}

TEST(HttpClient, ChunkedAndInterimAnswersAreRead) {
  CannedServer server(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  const auto reply = run({.method = "GET", .path = "/"}, server.port());
  EXPECT_EQ(reply.status, 503);
  EXPECT_FALSE(reply.ok);
  EXPECT_EQ(reply.error, "") << "an error status is an answer";
  EXPECT_EQ(reply.body, "abcde");
  EXPECT_EQ(reply.data.text, "");
}

TEST(HttpClient, ABodyUntilTheEndOfTheConnectionCounts) {
  CannedServer server("HTTP/1.0 200 OK\r\n\r\nall of it");
  EXPECT_EQ(run({.method = "GET", .path = "/"}, server.port()).body, "all of it");
}

TEST(HttpClient, BrokenRepliesAreErrorsInWords) {
  const auto error_of = [](const std::string& answer, bool reset = false) {
    CannedServer server(answer, reset);
    const auto reply = run({.method = "GET", .path = "/"}, server.port());
    EXPECT_FALSE(reply.ok);
    EXPECT_EQ(reply.status, 0);
    return reply.error;
  };
  EXPECT_EQ(error_of(""), "the server closed the connection without a reply");
  EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
            "the server closed the connection within its reply");
  EXPECT_TRUE(error_of("SSH-2.0-OpenSSH\r\n\r\n").starts_with("the reply is not HTTP/1: "));
  EXPECT_EQ(error_of("", true), "Connection reset by peer");
  EXPECT_NE(error_of("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").find("exceeds"),
            std::string::npos);
  EXPECT_NE(error_of("HTTP/1.1 200 OK\r\nX: " + std::string(300000, 'x') + "\r\n\r\n"), "");
}

TEST(HttpClient, RefusedTimedOutAndInterrupted) {
  EXPECT_EQ(run({.method = "GET", .path = "/"}, 1).error,
            "connect 127.0.0.1:1: Connection refused");
  std::uint16_t port = 0;
  const UniqueFd mute = listen_anywhere(port);
  EXPECT_EQ(run({.method = "GET", .path = "/"}, port, milliseconds(80)).error,
            "timed out after 80 ms");
  const UniqueFd interrupt(::eventfd(0, EFD_CLOEXEC));
  std::jthread later([&] { ::eventfd_write(interrupt.fd(), 1); });
  const auto reply =
      run_step({.step = HttpStep{.method = "GET", .path = "/"}}, {.port = port}, interrupt.fd());
  EXPECT_TRUE(reply.error.ends_with("interrupted")) << reply.error;  // Perhaps while connecting.
}

/// Python's http.server, as a server that somebody else wrote.
class PythonServer {
 public:
  PythonServer() { const UniqueFd closed_again = listen_anywhere(port_); }
  bool start() {
    if (::access("/usr/bin/python3", X_OK) != 0) return false;
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string port = std::to_string(port_);
      ::execl("/usr/bin/python3", "python3", "-m", "http.server", port.c_str(), "--bind",
              "127.0.0.1", "--directory", MISRULE_SOURCE_DIR "/tests/controller/steps", nullptr);
      ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!probe_http({.port = port_}, "/", std::chrono::seconds(5))) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  ~PythonServer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

TEST(HttpClient, TalksToAServerOfSomebodyElse) {
  PythonServer server;
  if (!server.start()) GTEST_SKIP() << "python3 is not installed";
  const auto reply = run({.method = "GET", .path = "/CMakeLists.txt"}, server.port());
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("misrule_test(controller_steps_test"), std::string::npos);
  EXPECT_EQ(run({.method = "HEAD", .path = "/CMakeLists.txt"}, server.port()).body, "");
  EXPECT_EQ(run({.method = "GET", .path = "/missing"}, server.port()).status, 404);
  EXPECT_EQ(run({.method = "DELETE", .path = "/"}, server.port()).status, 501);
  const auto probe = probe_http({.port = server.port()}, "/missing", std::chrono::seconds(5));
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().what, "GET /missing answers 404");
}

}  // namespace
}  // namespace misrule::controller
