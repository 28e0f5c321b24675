#include "controller/observe/http_tail.h"

#include <cerrno>
#include <sstream>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "controller/observe/line_splitter.h"
#include "controller/observe/sse.h"

namespace misrule::controller {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t kBodyBytesMax = std::uint64_t{256} << 20U;
constexpr std::uint32_t kHeaderBytesMax = 64 * 1024;
constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;

}  // namespace

/// One response: as much of it as is not told yet.
struct HttpTail::Response {
  UniqueFd socket = {};
  beast::flat_buffer buffer = {};
  std::unique_ptr<http::response_parser<http::string_body>> parser = {};
  bool is_sse = false;
  LineSplitter lines = {};
  SseParser events = {};  ///< Its latest id outlives a connection.
};

HttpTail::HttpTail(ListenerParts parts, Wanted wanted)
    : Listener(std::move(parts)),
      wanted_(std::move(wanted)),
      response_(std::make_unique<Response>()) {}

HttpTail::~HttpTail() { end(); }

Result<std::unique_ptr<HttpTail>> HttpTail::start(ListenerParts parts, Wanted wanted) {
  std::unique_ptr<HttpTail> made(new HttpTail(std::move(parts), std::move(wanted)));
  MISRULE_TRY_VOID(made->begin());
  return made;
}

int HttpTail::fd() const { return response_->socket.fd(); }

/// Whoever names its events is asked for those after the latest.
bool HttpTail::can_resume() const {
  return response_->is_sse && !response_->events.last_id().empty();
}

void HttpTail::close() {
  // A last line that its server did not end.
  response_->lines.finish([this](std::string_view line) { tell_line(line); });
  response_->events.restart();
  response_->socket.reset();
}

Status HttpTail::open(const Patience& patience) {
  MISRULE_TRY(response_->socket, connect_tcp(parts().target, patience));
  response_->buffer.clear();
  response_->parser = std::make_unique<http::response_parser<http::string_body>>();
  response_->parser->body_limit(kBodyBytesMax);
  response_->parser->header_limit(kHeaderBytesMax);
  response_->parser->eager(true);
  MISRULE_TRY_VOID(send_request(patience));
  return await_head(patience);
}

Status HttpTail::send_request(const Patience& patience) {
  http::request<http::empty_body> request(http::verb::get, wanted_.path, 11);
  request.set(http::field::host, wanted_.authority);
  request.set(http::field::user_agent, "misrule-observer");
  request.set(http::field::accept, "text/event-stream, application/x-ndjson, */*");
  request.set(http::field::cache_control, "no-cache");
  if (const std::string& id = response_->events.last_id(); !id.empty()) {
    request.set("Last-Event-ID", id);
  }
  const std::string whole = (std::ostringstream() << request).str();
  std::string_view left = whole;
  while (!left.empty()) {
    const ssize_t sent = ::send(fd(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno == EAGAIN) MISRULE_TRY_VOID(wait_ready(fd(), POLLOUT, patience));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return std::unexpected(errno_error("asking for it", errno));
    }
  }
  return {};
}

Status HttpTail::await_head(const Patience& patience) {
  while (!response_->parser->is_header_done()) {
    MISRULE_TRY(const bool got, receive());
    if (!got) MISRULE_TRY_VOID(wait_ready(fd(), POLLIN, patience));
  }
  return check_head();
}

Status HttpTail::check_head() {
  const auto& head = response_->parser->get();
  const unsigned status = head.result_int();
  if (status != 200) {
    // Who is not there yet may come; who refuses will go on doing so.
    return fail(status / 100 == 4 ? Code::kInvalid : Code::kRefused,
                fmt::format("the answer is {}", status));
  }
  if (response_->parser->content_length()) {
    return fail(Code::kInvalid, "the response has an end: it is no stream");
  }
  const auto type = head[http::field::content_type];
  response_->is_sse = std::string_view(type.data(), type.size()).starts_with("text/event-stream");
  take_body();
  return {};
}

/// False: nothing is there. What is taken is in the parser.
Result<bool> HttpTail::receive() {
  Response& it = *response_;
  if (it.buffer.size() > kHeaderBytesMax) {
    return fail(Code::kIo, "the response is not HTTP/1: a head without an end");
  }
  const auto room = it.buffer.prepare(kPieceBytes);
  const ssize_t got = ::recv(it.socket.fd(), room.data(), room.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got < 0) return std::unexpected(errno_error("reading the response", errno));
  if (got == 0) return fail(Code::kIo, "the response has ended");
  it.buffer.commit(static_cast<std::size_t>(got));
  beast::error_code error;
  it.buffer.consume(it.parser->put(it.buffer.data(), error));
  if (error && error != http::error::need_more) {
    return fail(error == http::error::body_limit ? Code::kUnsupported : Code::kIo,
                error == http::error::body_limit
                    ? fmt::format("the response exceeds {} bytes", kBodyBytesMax)
                    : "the response is not HTTP/1: " + error.message());
  }
  return true;
}

void HttpTail::take_body() {
  std::string body = std::exchange(response_->parser->get().body(), {});
  if (!response_->is_sse) {
    response_->lines.feed(body, [this](std::string_view line) { tell_line(line); });
    return;
  }
  response_->events.feed(body, [this](const SseEvent& said) {
    model::Event event = {.type = "tail_http"};
    event.set("body", said.data).set("url", wanted_.url).set("event", said.name);
    if (!said.id.empty()) event.set("id", said.id);
    wanted_.decoder.decode(said.data, event);
    tell(std::move(event), said.data.size());
  });
}

void HttpTail::tell_line(std::string_view line) {
  if (line.empty()) return;
  model::Event event = {.type = "tail_http"};
  event.set("body", std::string(line)).set("url", wanted_.url);
  wanted_.decoder.decode(line, event);
  tell(std::move(event), line.size());
}

Status HttpTail::take() {
  for (;;) {
    // It may have come with the head; who keeps the connection open says so in no other way.
    if (response_->parser->is_done()) return fail(Code::kIo, "the response has ended");
    MISRULE_TRY(const bool got, receive());
    if (!got) return {};
    take_body();
  }
}

/// Everything that had been written to the socket before the question has been taken by then.
Status HttpTail::ask(std::uint64_t question) {
  MISRULE_TRY_VOID(take());
  answered(question);
  return {};
}

}  // namespace misrule::controller
