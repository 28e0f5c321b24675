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

/// What the server shares with its clients.
struct Office {
  explicit Office(const AdminSubject& administered)
      : subject(administered), answers(administered) {}
  const AdminSubject subject;
  AdminAnswers answers;
  bool checks_host = false;
  std::size_t clients = 0;
};

/// One connection. Lives until its serve() is over and nothing of it is under way.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Office& office, asio::generic::stream_protocol::socket socket)
      : office_(office),
        stream_(std::move(socket)),
        woken_(stream_.get_executor(), asio::steady_timer::time_point::max()) {
    ++office_.clients;
  }
  ~Client() { --office_.clients; }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  asio::awaitable<void> serve();

 private:
  asio::awaitable<bool> answer();
  asio::awaitable<bool> refuse(unsigned status, std::string why);
  asio::awaitable<void> follow(unsigned version);
  asio::awaitable<bool> send_head(unsigned version);
  asio::awaitable<void> send_events(std::shared_ptr<EventReader> reader);
  void watch_end();
  AdminAnswer answer_to(const Request& request);
  std::function<void()> waker();

  Office& office_;
  Stream stream_;
  beast::flat_buffer buffer_{std::size_t{64} * 1024};
  error_code error_;
  asio::steady_timer woken_;  // Cancelled when there are events, or the follower is gone.
  char last_byte_ = 0;
  bool gone_ = false;
};

asio::awaitable<void> Client::serve() {
  while (co_await answer()) {
  }
  error_ = stream_.socket().shutdown(asio::socket_base::shutdown_both, error_);
  stream_.close();
}

AdminAnswer Client::answer_to(const Request& request) {
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  return office_.answers.answer({.method = text(request.method_string()),
                                 .target = text(request.target()),
                                 .if_match = text(request[http::field::if_match]),
                                 .body = request.body()});
}

/// Always the last answer.
asio::awaitable<bool> Client::refuse(unsigned status, std::string why) {
  Request nothing;
  nothing.version(11);
  nothing.keep_alive(false);
  const auto response = response_of(error_answer(status, why), nothing);
  office_.answers.count(status);
  co_await http::async_write(stream_, response, asio::redirect_error(asio::use_awaitable, error_));
  co_return false;
}

/// One request; answers whether there may be another.
asio::awaitable<bool> Client::answer() {
  http::request_parser<http::string_body> parser;
  parser.body_limit(kBodyMax);
  parser.header_limit(kHeaderMax);
  stream_.expires_after(kRequestLimit);
  co_await http::async_read(stream_, buffer_, parser,
                            asio::redirect_error(asio::use_awaitable, error_));
  const unsigned wrong = error_ ? status_of(error_) : 0;
  if (wrong != 0) co_return co_await refuse(wrong, error_.message());
  if (error_) co_return false;
  const Request request = parser.release();
  const auto host = request[http::field::host];
  if (office_.checks_host && !is_loopback_name({host.data(), host.size()})) {
    co_return co_await refuse(403, "Host names another machine; --admin-allow-remote takes any");
  }
  if (request.method() == http::verb::get && request.target() == "/events") {
    co_await follow(request.version());
    co_return false;
  }
  const auto response = response_of(answer_to(request), request);
  stream_.expires_after(kRequestLimit);
  co_await http::async_write(stream_, response, asio::redirect_error(asio::use_awaitable, error_));
  co_return !error_ && response.keep_alive();
}

/// May be called from any thread.
std::function<void()> Client::waker() {
  return [executor = stream_.get_executor(), weak = weak_from_this()] {
    asio::post(executor, [weak] {
      if (const auto client = weak.lock()) client->woken_.cancel();
    });
  };
}

asio::awaitable<void> Client::follow(unsigned version) {
  auto reader = office_.subject.events.follow(waker());
  if (reader == nullptr) {
    co_await refuse(503, "too many follow the events already");
    co_return;
  }
  office_.answers.count(200);
  if (!co_await send_head(version)) co_return;
  watch_end();
  co_await send_events(std::move(reader));
}

asio::awaitable<bool> Client::send_head(unsigned version) {
  http::response<http::empty_body> head(http::status::ok, version);
  head.set(http::field::content_type, "application/x-ndjson");
  head.set(http::field::cache_control, "no-store");
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  co_await http::async_write_header(stream_, serializer,
                                    asio::redirect_error(asio::use_awaitable, error_));
  co_return !error_;
}

void Client::watch_end() {
  // A follower has nothing more to say: whatever comes, or ends, is its end.
  const auto gone = [client = shared_from_this()](const error_code&, std::size_t) {
    client->gone_ = true;
    client->woken_.cancel();
  };
  stream_.socket().async_receive(asio::buffer(&last_byte_, 1), gone);
}

asio::awaitable<void> Client::send_events(std::shared_ptr<EventReader> reader) {
  while (!gone_) {
    const std::string lines = reader->take();
    if (lines.empty()) {
      co_await woken_.async_wait(asio::redirect_error(asio::use_awaitable, error_));
      continue;
    }
    stream_.expires_after(kFollowerLimit);
    co_await asio::async_write(stream_, http::make_chunk(asio::buffer(lines)),
                               asio::redirect_error(asio::use_awaitable, error_));
    if (error_) break;
    stream_.expires_never();
  }
}

class BeastServer final : public AdminServer {
 public:
  BeastServer(const AdminListen& listen, const AdminSubject& subject, UniqueFd fd)
      : office_(subject), at_(bound_to(fd)), file_(at_), acceptor_(context_) {
    office_.checks_host = !is_unix(at_) && !listen.allow_remote;
    acceptor_.assign(asio::generic::stream_protocol(at_.address.ss_family, 0), fd.release());
  }

  ~BeastServer() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;

  void run();
  Endpoint listening_at() const override { return at_; }

 private:
  asio::awaitable<void> accept();

  Office office_;
  const Endpoint at_;
  const SocketFile file_;
  asio::io_context context_{1};
  Acceptor acceptor_;
  std::thread thread_;
};

void BeastServer::run() {
  asio::co_spawn(context_, accept(), [](const std::exception_ptr&) {});
  // Signals are for the process's first thread.
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

asio::awaitable<void> BeastServer::accept() {
  error_code error;
  for (;;) {
    asio::generic::stream_protocol::socket socket(context_);
    co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      // Out of descriptors: what waits in the backlog is taken when there are some again.
      asio::steady_timer later(context_, std::chrono::milliseconds(100));
      co_await later.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (office_.clients >= kClientsMax) continue;
    const auto client = std::make_shared<Client>(office_, std::move(socket));
    asio::co_spawn(context_, client->serve(), [client](const std::exception_ptr& thrown) {
      if (thrown) kLog.warn("an admin client is cut: its request could not be served");
    });
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
