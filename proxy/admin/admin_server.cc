#include "proxy/admin/admin_server.h"

#include <chrono>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/net/sockets.h"
#include "proxy/net/unix_sockets.h"

namespace misrule::proxy {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::seconds;

constexpr Logger kLog{"proxy/admin"};
constexpr std::size_t kClientsMax = 64;
constexpr std::size_t kBodyMax = std::size_t{8} << 20U;
constexpr std::uint32_t kHeaderMax = 16 * 1024;
constexpr auto kRequestLimit = seconds(30);
/// A follower that takes nothing for so long is let go.
constexpr auto kFollowerLimit = seconds(120);
constexpr int kNicer = 5;

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using Stream = beast::basic_stream<asio::generic::stream_protocol>;
using Request = http::request<http::string_body>;

bool is_loopback(const Endpoint& endpoint) {
  if (is_unix(endpoint)) return true;
  const std::string text = endpoint_text(endpoint);
  return text.starts_with("127.") || text.starts_with("[::1]:");
}

/// A page of a browser that was led here by a name of its own must not read or change anything.
bool is_loopback_name(std::string_view host) {
  const bool bracket = host.starts_with('[');
  const std::string_view name =
      bracket ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name == "localhost" || name == "[::1]" || name.starts_with("127.");
}

http::response<http::string_body> response_of(AdminAnswer answer, const Request& request) {
  http::response<http::string_body> response(static_cast<http::status>(answer.status),
                                             request.version());
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  if (!answer.etag.empty()) response.set(http::field::etag, answer.etag);
  if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
  response.keep_alive(request.keep_alive());
  const std::size_t size = answer.body.size();
  if (request.method() != http::verb::head) response.body() = std::move(answer.body);
  response.content_length(size);
  return response;
}

unsigned status_of(const error_code& error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  const bool is_http = error.category() == make_error_code(http::error::end_of_stream).category();
  return is_http && error != http::error::end_of_stream && error != http::error::partial_message
             ? 400
             : 0;
}

/// Who follows the events: woken when there are some, or when the client is gone.
struct Follower {
  explicit Follower(const asio::any_io_executor& executor)
      : timer(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer timer;
  bool gone = false;
};

class BeastServer final : public AdminServer {
 public:
  BeastServer(const AdminListen& listen, const AdminSubject& subject, UniqueFd fd)
      : subject_(subject),
        answers_(subject),
        at_(bound_to(fd)),
        file_(at_),
        checks_host_(!is_unix(at_) && !listen.allow_remote),
        acceptor_(context_) {
    const asio::generic::stream_protocol protocol(at_.address.ss_family, 0);
    acceptor_.assign(protocol, fd.release());
  }

  ~BeastServer() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;

  void run() {
    asio::co_spawn(context_, accept(), [](const std::exception_ptr&) {});
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] {
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNicer);
      context_.run();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  Endpoint listening_at() const override { return at_; }

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(Stream stream);
  asio::awaitable<bool> answer(Stream& stream, beast::flat_buffer& buffer);
  asio::awaitable<void> refuse(Stream& stream, unsigned status, std::string_view why);
  asio::awaitable<void> follow(Stream& stream, const Request& request);
  asio::awaitable<void> send_events(Stream& stream, EventReader& reader, Follower& follower);
  static asio::awaitable<void> watch_end(Stream& stream, std::shared_ptr<Follower> follower);
  AdminAnswer answer_to(const Request& request);

  const AdminSubject subject_;
  AdminAnswers answers_;
  const Endpoint at_;
  const SocketFile file_;
  const bool checks_host_;
  std::size_t clients_ = 0;
  asio::io_context context_{1};
  Acceptor acceptor_;
  std::thread thread_;
};

asio::awaitable<void> BeastServer::accept() {
  for (;;) {
    asio::generic::stream_protocol::socket socket(context_);
    error_code error;
    co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      // Out of descriptors: what waits in the backlog is taken when there are some again.
      asio::steady_timer later(context_, std::chrono::milliseconds(100));
      co_await later.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (clients_ >= kClientsMax) continue;
    ++clients_;
    asio::co_spawn(context_, serve(Stream(std::move(socket))), [this](const std::exception_ptr& e) {
      --clients_;
      if (e) kLog.warn("an admin client is cut: its request could not be served");
    });
  }
}

asio::awaitable<void> BeastServer::serve(Stream stream) {
  beast::flat_buffer buffer(std::size_t{64} * 1024);
  while (co_await answer(stream, buffer)) {
  }
  error_code ignored;
  stream.socket().shutdown(asio::socket_base::shutdown_both, ignored);
}

asio::awaitable<void> BeastServer::refuse(Stream& stream, unsigned status, std::string_view why) {
  Request nothing;
  nothing.version(11);
  nothing.keep_alive(false);
  auto response = response_of(error_answer(status, why), nothing);
  answers_.count(status);
  error_code ignored;
  co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, ignored));
}

AdminAnswer BeastServer::answer_to(const Request& request) {
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  return answers_.answer({.method = text(request.method_string()),
                          .target = text(request.target()),
                          .if_match = text(request[http::field::if_match]),
                          .body = request.body()});
}

/// One request; answers whether there may be another.
asio::awaitable<bool> BeastServer::answer(Stream& stream, beast::flat_buffer& buffer) {
  http::request_parser<http::string_body> parser;
  parser.body_limit(kBodyMax);
  parser.header_limit(kHeaderMax);
  error_code error;
  stream.expires_after(kRequestLimit);
  co_await http::async_read(stream, buffer, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    if (const unsigned status = status_of(error); status != 0) {
      co_await refuse(stream, status, error.message());
    }
    co_return false;
  }
  const Request request = parser.release();
  const auto host = request[http::field::host];
  if (checks_host_ && !is_loopback_name({host.data(), host.size()})) {
    co_await refuse(stream, 403, "Host names another machine; --admin-allow-remote takes any");
    co_return false;
  }
  if (request.method() == http::verb::get && request.target() == "/events") {
    co_await follow(stream, request);
    co_return false;
  }
  auto response = response_of(answer_to(request), request);
  stream.expires_after(kRequestLimit);
  co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
  co_return !error && response.keep_alive();
}

asio::awaitable<void> BeastServer::watch_end(Stream& stream, std::shared_ptr<Follower> follower) {
  // A follower has nothing more to say: whatever comes, or ends, is its end.
  char byte = 0;
  error_code ignored;
  co_await stream.socket().async_receive(asio::buffer(&byte, 1),
                                         asio::redirect_error(asio::use_awaitable, ignored));
  follower->gone = true;
  follower->timer.cancel();
}

asio::awaitable<void> BeastServer::follow(Stream& stream, const Request& request) {
  const auto executor = co_await asio::this_coro::executor;
  const auto follower = std::make_shared<Follower>(executor);
  const auto reader = subject_.events.follow([this, weak = std::weak_ptr(follower)] {
    asio::post(context_, [weak] {
      if (const auto woken = weak.lock()) woken->timer.cancel();
    });
  });
  if (reader == nullptr) {
    co_await refuse(stream, 503, "too many follow the events already");
    co_return;
  }
  answers_.count(200);
  http::response<http::empty_body> head(http::status::ok, request.version());
  head.set(http::field::content_type, "application/x-ndjson");
  head.set(http::field::cache_control, "no-store");
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  error_code error;
  co_await http::async_write_header(stream, serializer,
                                    asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return;
  // It refers to the stream, which send_events outlives: it is ended and waited for below.
  bool watching = true;
  asio::steady_timer watched(executor, asio::steady_timer::time_point::max());
  asio::co_spawn(executor, watch_end(stream, follower), [&](const std::exception_ptr&) {
    watching = false;
    watched.cancel();
  });
  co_await send_events(stream, *reader, *follower);
  stream.socket().cancel(error);
  if (watching) {
    co_await watched.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<void> BeastServer::send_events(Stream& stream, EventReader& reader,
                                               Follower& follower) {
  error_code error;
  while (!follower.gone) {
    const std::string lines = reader.take();
    if (lines.empty()) {
      co_await follower.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    stream.expires_after(kFollowerLimit);
    co_await asio::async_write(stream, http::make_chunk(asio::buffer(lines)),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    stream.expires_never();
  }
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(const AdminListen& listen,
                                                        const AdminSubject& subject) {
  if (!is_loopback(listen.at) && !listen.allow_remote) {
    return fail(Code::kInvalid,
                fmt::format("--admin {}: anybody who reaches it can change the rules, so it "
                            "listens on loopback or a Unix socket only; --admin-allow-remote "
                            "takes that back",
                            endpoint_text(listen.at)));
  }
  constexpr mode_t kOwnerAlone = 0600;
  MISRULE_TRY(UniqueFd fd, listen_on(listen.at, false, kOwnerAlone));
  auto server = std::make_unique<BeastServer>(listen, subject, std::move(fd));
  server->run();
  return server;
}

}  // namespace misrule::proxy
