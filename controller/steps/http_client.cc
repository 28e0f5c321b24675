// HTTP/1.1 by Beast, on a socket whose waiting can be interrupted.
//
// Not done: HTTP/2, TLS, redirects, compression (none is asked for).

#include "controller/steps/http_client.h"

#include <cerrno>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <poll.h>
#include <sys/socket.h>

namespace misrule::controller {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t kBodyBytesMax = std::uint64_t{64} << 20U;
constexpr std::uint32_t kHeaderBytesMax = 256 * 1024;

/// What Beast reads from and writes to: one non-blocking socket. The first failure that is ours (a
/// timeout, an interrupt) is kept in words.
class PatientStream {
 public:
  PatientStream(UniqueFd socket, const Patience& patience)
      : socket_(std::move(socket)), patience_(patience) {}

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, beast::error_code& error) {
    const asio::mutable_buffer into = *asio::buffer_sequence_begin(buffers);
    return transfer(POLLIN, error,
                    [&] { return ::recv(socket_.fd(), into.data(), into.size(), 0); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, beast::error_code& error) {
    asio::const_buffer from;
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
         ++at) {
      from = *at;
      if (from.size() != 0) break;
    }
    return transfer(POLLOUT, error,
                    [&] { return ::send(socket_.fd(), from.data(), from.size(), MSG_NOSIGNAL); });
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    beast::error_code error;
    return read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    beast::error_code error;
    return write_some(buffers, error);
  }

  const std::optional<Error>& failure() const { return failure_; }

 private:
  template <class Call>
  std::size_t transfer(short poll_events, beast::error_code& error, Call call) {
    for (;;) {
      const ssize_t moved = call();
      if (moved > 0) return static_cast<std::size_t>(moved);
      if (moved == 0 && poll_events == POLLIN) {
        error = asio::error::eof;
        return 0;
      }
      if (moved == 0) return 0;
      if (errno != EAGAIN && errno != EINTR) {
        error.assign(errno, boost::system::system_category());
        return 0;
      }
      if (auto ready = wait_ready(socket_.fd(), poll_events, patience_); !ready) {
        failure_ = ready.error();
        error = asio::error::operation_aborted;
        return 0;
      }
    }
  }

  UniqueFd socket_;
  Patience patience_;
  std::optional<Error> failure_;
};

bool looks_like_json(const std::string& text) {
  beast::error_code error;
  const auto value = boost::json::parse(text, error);
  return !error && (value.is_object() || value.is_array());
}

std::string authority_of(const StepTarget& target) {
  if (!target.authority.empty()) return target.authority;
  const bool six = target.host.find(':') != std::string::npos;
  return six ? fmt::format("[{}]:{}", target.host, target.port)
             : fmt::format("{}:{}", target.host, target.port);
}

http::request<http::string_body> request_from(const dsl::HttpStep& step, const StepTarget& target) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(step.method);
  request.target(step.path);
  request.set(http::field::host, authority_of(target));
  request.set(http::field::user_agent, "misrule-test");
  request.set(http::field::accept, "*/*");
  request.set(http::field::connection, "close");
  if (!step.body.empty()) {
    request.set(http::field::content_type,
                looks_like_json(step.body) ? "application/json" : "text/plain; charset=utf-8");
  }
  for (const auto& [name, value] : step.headers) request.set(name, value);
  request.body() = step.body;
  if (!step.body.empty() || step.method == "POST" || step.method == "PUT") {
    request.content_length(step.body.size());
  }
  return request;
}

std::string lower(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return folded;
}

bool says_json(std::string_view content_type) {
  const std::string kind = lower(content_type.substr(0, content_type.find(';')));
  return kind.starts_with("application/json") || kind.ends_with("+json");
}

dsl::StepReply reply_from(const http::response<http::string_body>& response) {
  dsl::StepReply reply;
  reply.status = static_cast<int>(response.result_int());
  reply.ok = reply.status < 400;
  reply.body = response.body();
  for (const auto& field : response) {
    reply.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
  }
  const auto content_type = response[http::field::content_type];
  if (says_json({content_type.data(), content_type.size()})) reply.data.text = reply.body;
  return reply;
}

std::string words_for(const beast::error_code& error) {
  if (error == http::error::end_of_stream)
    return "the server closed the connection without a reply";
  if (error == http::error::partial_message)
    return "the server closed the connection within its reply";
  if (error == http::error::body_limit) {
    return fmt::format("the reply's body exceeds {} bytes", kBodyBytesMax);
  }
  if (error.category() == http::make_error_code(http::error::bad_status).category()) {
    return "the reply is not HTTP/1: " + error.message();
  }
  return error.message();
}

dsl::StepReply failed(const PatientStream& stream, const beast::error_code& error) {
  dsl::StepReply reply;
  reply.error = stream.failure() ? stream.failure()->what : words_for(error);
  return reply;
}

}  // namespace

dsl::StepReply run_http(const dsl::HttpStep& step, const StepTarget& target,
                        const Patience& patience) {
  auto socket = connect_tcp(target, patience);
  if (!socket) return {.error = socket.error().what};
  PatientStream stream(*std::move(socket), patience);
  const auto request = request_from(step, target);
  beast::error_code written;
  http::write(stream, request, written);
  // A server may answer and close before it has read everything: its reply counts.
  if (written && written != boost::system::errc::broken_pipe &&
      written != boost::system::errc::connection_reset) {
    return failed(stream, written);
  }
  beast::flat_buffer buffer;
  for (;;) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    parser.header_limit(kHeaderBytesMax);
    parser.skip(step.method == "HEAD");
    beast::error_code error;
    http::read(stream, buffer, parser, error);
    if (error) return failed(stream, error);
    const bool interim = parser.get().result_int() / 100 == 1 && parser.get().result_int() != 101;
    if (!interim) return reply_from(parser.get());
  }
}

}  // namespace misrule::controller
