#include "proxy/net/tls_opening.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/net/sniffing.h"

namespace misrule::proxy {

namespace {

using model::Protocol;

/// A server's own limit for who has not told yet who it is.
constexpr auto kHandshakeMax = std::chrono::seconds(60);
constexpr std::string_view kPostgres = "postgresql";
constexpr std::string_view kHttp = "http/1.1";
constexpr std::string_view kHttp2 = "h2";
constexpr ByteView kSslRequest("\x00\x00\x00\x08\x04\xd2\x16\x2f", 8);
constexpr ByteView kGssEncRequest("\x00\x00\x00\x08\x04\xd2\x16\x30", 8);
/// Clients ask for encryption of one kind, then of the other.
constexpr int kRequestsMax = 4;
constexpr char kHandshakeRecord = 0x16;

bool holds(const std::vector<std::string>& protocols, std::string_view protocol) {
  return std::ranges::find(protocols, protocol) != protocols.end();
}

}  // namespace

bool looks_like_tls(ByteView first_bytes) {
  if (first_bytes.empty() || first_bytes.front() != kHandshakeRecord) return false;
  return first_bytes.size() < 2 || first_bytes[1] == 3;
}

TlsOpening::~TlsOpening() { ends_.loop.cancel(deadline_); }

void TlsOpening::give_up(std::string why) {
  if (why_.empty()) why_ = std::move(why);
}

std::string TlsOpening::failure_of(const Stream& stream) const {
  const bool is_client = &stream == &ends_.client;
  const auto& session = is_client ? client_ : server_;
  if (!session || session->failure().empty()) return {};
  return fmt::format("the {}'s TLS: {}", is_client ? "client" : "server", session->failure());
}

bool TlsOpening::was_cut(const Stream& stream) const {
  const auto& session = &stream == &ends_.client ? client_ : server_;
  return session && session->was_truncated();
}

void TlsOpening::arm() {
  ends_.loop.cancel(deadline_);
  deadline_ = ends_.loop.at(ends_.loop.now() + kHandshakeMax, [this] {
    deadline_ = {};
    timed_out_ = true;
    ends_.client.abort();
    ends_.server.abort();
  });
}

Task TlsOpening::run() {
  // A Postgres client's first request may have to be answered before it can be told anything.
  if (listener_.towards_client() || speaks_postgres()) co_await receive_client();
  if (sniffs_ && client_begins_) co_await answer_client();
  if (sniffs_ && ok() && listener_.towards_server()) co_await find_protocol();
  if (ok() && listener_.towards_server()) co_await secure_server();
  if (client_begins_) co_await answer_client();
}

Task TlsOpening::receive_client() {
  if (sniffs_ || speaks_postgres()) {
    co_await answer_first_packets();
  } else {
    // Who connects and says nothing is as welcome as without TLS.
    co_await ends_.client.wire();
    co_await hear_client();
  }
}

Task TlsOpening::answer_first_packets() {
  for (int requests = 0; requests < kRequestsMax;) {
    const ByteView seen = ends_.client.unread();
    const bool tells = !seen.empty() && (seen.front() != '\0' || seen.size() >= kSslRequest.size());
    if (!tells) {
      const ByteView more = co_await ends_.client.read();
      if (more.empty()) gave_up_ = true;
      if (gave_up_) co_return;
      continue;
    }
    if (looks_like_tls(seen) && listener_.towards_client()) {
      is_direct_ = true;
      co_await hear_client();
      co_return;
    }
    const bool asks_tls = seen.starts_with(kSslRequest);
    if (!asks_tls && !seen.starts_with(kGssEncRequest)) co_return;
    const bool wants_tls = asks_tls && listener_.towards_client();
    if (wants_tls && seen.size() > kSslRequest.size()) {
      // They would be taken for what came encrypted (CVE-2021-23222).
      give_up("the client sent bytes behind its SSLRequest, before TLS began");
      co_return;
    }
    ends_.client.consume(kSslRequest.size());
    if (!co_await ends_.client_out.write(wants_tls ? "S" : "N")) gave_up_ = true;
    if (wants_tls && !gave_up_) co_await hear_client();
    if (wants_tls || gave_up_) co_return;
    ++requests;
  }
}

Task TlsOpening::hear_client() {
  client_ = listener_.serve(ends_.client);
  co_await drive(*client_, ends_.client, ends_.client_out);
  if (step_ != TlsSession::Step::kHello) {
    if (client_->is_untouched() && !timed_out_) {
      gave_up_ = true;
    } else {
      give_up(fmt::format("the client's TLS: {}",
                          timed_out_ ? "nothing more came within 60 s" : client_->failure()));
    }
    co_return;
  }
  client_begins_ = true;
  if (speaks_postgres() && is_direct_ && !holds(client_->hello().protocols, kPostgres)) {
    client_->refuse();
    give_up(
        "a client that begins with TLS has to offer the protocol \"postgresql\" in it (ALPN), "
        "as PostgreSQL 17 wants it");
  }
}

Task TlsOpening::answer_client() {
  client_begins_ = false;
  // A Postgres client can be told in words what failed behind us.
  if (!ok() && !speaks_postgres()) client_->refuse();
  client_->answer(choose(), listener_.identity_for(client_->hello().server_name));
  co_await drive(*client_, ends_.client, ends_.client_out);
  if (step_ == TlsSession::Step::kDone) {
    ends_.client_out.seal_with(*client_);
  } else {
    give_up(fmt::format("the client's TLS: {}",
                        timed_out_ ? "nothing more came within 60 s" : client_->failure()));
  }
}

Task TlsOpening::find_protocol() {
  std::optional<Protocol> found;
  while (!found) {
    ByteView seen = ends_.client.unread();
    if (seen.empty() || !(found = sniff(seen))) seen = co_await ends_.client.read();
    if (seen.empty()) break;
    found = sniff(seen);
  }
  protocol_ = found.value_or(Protocol::kTcp);
  gave_up_ = !found;
}

Task TlsOpening::secure_server() {
  if (speaks_postgres()) co_await ask_postgres();
  if (!ok()) co_return;
  const std::string asked = client_ ? client_->hello().server_name : std::string();
  server_ = listener_.call(ends_.server, asked, offer());
  co_await drive(*server_, ends_.server, ends_.server_out);
  if (step_ == TlsSession::Step::kDone) {
    ends_.server_out.seal_with(*server_);
  } else {
    give_up(fmt::format("the server's TLS: {}",
                        timed_out_ ? "nothing more came within 60 s" : server_->failure()));
  }
}

Task TlsOpening::ask_postgres() {
  arm();
  ByteView answer;
  if (co_await ends_.server_out.write(kSslRequest)) answer = co_await ends_.server.read();
  ends_.loop.cancel(deadline_);
  if (answer == "S") {
    ends_.server.consume(answer.size());
  } else if (answer.starts_with('S')) {
    give_up("the server sent bytes behind its answer to SSLRequest, before TLS began");
  } else if (answer == "N") {
    give_up(
        "the server does not support TLS, which upstream_tls asks it for (ssl = on is missing)");
  } else {
    give_up(answer.empty() ? "the server ended instead of answering SSLRequest"
                           : "the server answered SSLRequest with something else than S or N");
  }
}

// All of them outlive the opening.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
Task TlsOpening::drive(TlsSession& session, Stream& stream, Outlet& out) {
  arm();
  for (;;) {
    step_ = session.handshake();
    if (session.has_outgoing()) co_await out.send_outgoing(session);
    if (step_ != TlsSession::Step::kWants) break;
    co_await stream.wire();
  }
  ends_.loop.cancel(deadline_);
}

std::string TlsOpening::choose() const {
  const std::vector<std::string>& offered = client_->hello().protocols;
  const auto among = [&offered](std::string_view protocol) {
    return holds(offered, protocol) ? std::string(protocol) : std::string();
  };
  if (server_ && !server_->protocol().empty()) return among(server_->protocol());
  if (speaks_postgres()) return among(kPostgres);
  if (sniffs_) return among(kPostgres) + (holds(offered, kPostgres) ? "" : among(kHttp));
  if (protocol_ != Protocol::kHttp) return {};
  std::string chosen = among(kHttp);
  // A client that speaks HTTP/2 alone is carried undecoded; its first bytes say so.
  return chosen.empty() ? among(kHttp2) : chosen;
}

std::vector<std::string> TlsOpening::offer() const {
  if (speaks_postgres()) return {std::string(kPostgres)};
  std::vector<std::string> offered;
  if (client_) {
    offered = client_->hello().protocols;
  } else if (protocol_ == Protocol::kHttp) {
    offered = {std::string(kHttp)};
  }
  if (protocol_ == Protocol::kHttp && holds(offered, kHttp)) std::erase(offered, kHttp2);
  return offered;
}

}  // namespace misrule::proxy
