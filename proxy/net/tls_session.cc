#include "proxy/net/tls_session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "proxy/net/stream.h"
#include "proxy/net/tls_authority.h"

namespace misrule::proxy {

namespace {

TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(::BIO_get_data(bio)); }

int read_wire(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const int got = session_of(bio).take_from_wire(into, size);
  if (got < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  return got;
}

int write_wire(BIO* bio, const char* from, int size) {
  return session_of(bio).put_on_wire(from, size);
}

long control_wire(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && session_of(bio).wire_has_ended() ? 1 : 0;
}

int create_wire(BIO* bio) {
  ::BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* wire_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = ::BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wire");
    ::BIO_meth_set_read(made, read_wire);
    ::BIO_meth_set_write(made, write_wire);
    ::BIO_meth_set_ctrl(made, control_wire);
    ::BIO_meth_set_create(made, create_wire);
    return made;
  }();
  return method;
}

ByteView extension_of(SSL* ssl, unsigned type) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (::SSL_client_hello_get0_ext(ssl, type, &bytes, &size) != 1) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

/// The one name of the list, which is of type host_name.
std::string read_server_name(ByteView extension) {
  constexpr std::size_t kNameMax = 255;
  ByteReader reader(extension);
  reader.read_u16();
  const bool is_host = reader.read_u8() == 0;
  const std::size_t size = reader.read_u16();
  const ByteView name = reader.rest();
  if (!reader.ok() || !is_host || size != name.size() || size > kNameMax) return {};
  return std::string(name);
}

std::vector<std::string> read_protocols(ByteView extension) {
  std::vector<std::string> protocols;
  if (extension.size() < 2) return protocols;
  for (ByteView rest = extension.substr(2); !rest.empty();) {
    const std::size_t size = static_cast<unsigned char>(rest.front());
    if (size == 0 || size >= rest.size()) return protocols;
    protocols.emplace_back(rest.substr(1, size));
    rest.remove_prefix(size + 1);
  }
  return protocols;
}

std::string as_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) continue;
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

}  // namespace

TlsSession::TlsSession(ssl_ctx_st* context, Stream& stream)
    : stream_(stream), ssl_(::SSL_new(context)), early_(stream.unread()) {
  MISRULE_CHECK(ssl_ != nullptr);
  touched_ = !early_.empty();
  stream.consume(early_.size());
  BIO* wire = ::BIO_new(wire_method());
  MISRULE_CHECK(wire != nullptr);
  ::BIO_set_data(wire, this);
  ::SSL_set_bio(ssl_, wire, wire);
  SSL_set_app_data(ssl_, this);
  stream.read_through(*this);
}

TlsSession::~TlsSession() { ::SSL_free(ssl_); }

std::unique_ptr<TlsSession> TlsSession::serve(ssl_ctx_st* context, Stream& stream) {
  std::unique_ptr<TlsSession> session(new TlsSession(context, stream));
  ::SSL_set_accept_state(session->ssl_);
  return session;
}

std::unique_ptr<TlsSession> TlsSession::call(ssl_ctx_st* context, Stream& stream,
                                             const Call& call) {
  std::unique_ptr<TlsSession> session(new TlsSession(context, stream));
  ::SSL_set_connect_state(session->ssl_);
  if (!call.server_name.empty()) {
    SSL_set_tlsext_host_name(session->ssl_, call.server_name.c_str());
  }
  const std::string wire = as_wire(call.protocols);
  if (!wire.empty()) {
    ::SSL_set_alpn_protos(session->ssl_, reinterpret_cast<const unsigned char*>(wire.data()),
                          static_cast<unsigned>(wire.size()));
  }
  return session;
}

int TlsSession::take_from_wire(char* into, int size) {
  if (early_at_ < early_.size()) {
    const std::size_t count =
        std::min<std::size_t>(early_.size() - early_at_, static_cast<std::size_t>(size));
    std::memcpy(into, early_.data() + early_at_, count);
    early_at_ += count;
    if (early_at_ == early_.size()) early_ = {};
    return static_cast<int>(count);
  }
  const ssize_t got = stream_.receive(into, static_cast<std::size_t>(size));
  if (got > 0) touched_ = true;
  if (got == 0) wire_ended_ = true;
  return static_cast<int>(got);
}

int TlsSession::put_on_wire(const char* from, int size) {
  outgoing_.append(from, static_cast<std::size_t>(size));
  return size;
}

int TlsSession::on_hello(ssl_st* ssl, int* alert) {
  if (refused_) {
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (answered_) return SSL_CLIENT_HELLO_SUCCESS;
  hello_.server_name = read_server_name(extension_of(ssl, TLSEXT_TYPE_server_name));
  hello_.protocols =
      read_protocols(extension_of(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation));
  return SSL_CLIENT_HELLO_RETRY;
}

void TlsSession::answer(std::string protocol, const Identity* identity) {
  answered_ = true;
  chosen_ = std::move(protocol);
  if (identity == nullptr) return;
  ::SSL_use_cert_and_key(ssl_, identity->certificate.get(), identity->key.get(), nullptr, 1);
}

std::string TlsSession::protocol() const {
  const unsigned char* bytes = nullptr;
  unsigned size = 0;
  ::SSL_get0_alpn_selected(ssl_, &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

void TlsSession::fail(int error) {
  if (!failure_.empty()) return;
  const unsigned long first = ::ERR_peek_error();
  if (error == SSL_ERROR_SYSCALL && first == 0) {
    failure_ = "the connection was reset";
  } else if (ERR_GET_REASON(first) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    failure_ = fmt::format("certificate verify failed: {}",
                           ::X509_verify_cert_error_string(::SSL_get_verify_result(ssl_)));
    ::ERR_clear_error();
  } else {
    failure_ = openssl_reason("it ended");
  }
}

TlsSession::Step TlsSession::handshake() {
  ::ERR_clear_error();
  const int done = ::SSL_do_handshake(ssl_);
  if (done == 1) {
    finished_ = true;
    return Step::kDone;
  }
  switch (const int error = ::SSL_get_error(ssl_, done)) {
    case SSL_ERROR_WANT_READ:
      return Step::kWants;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      return Step::kHello;
    default:
      fail(error);
      return Step::kFailed;
  }
}

ssize_t TlsSession::read(char* into, std::size_t size) {
  std::size_t total = 0;
  // What a reader finds short is empty: so all that the socket has is taken.
  while (total < size && end_ == End::kOpen) {
    ::ERR_clear_error();
    std::size_t got = 0;
    const int done = ::SSL_read_ex(ssl_, into + total, size - total, &got);
    total += got;
    if (done == 1) continue;
    const int error = ::SSL_get_error(ssl_, done);
    if (error == SSL_ERROR_WANT_READ) break;
    note_end(error);
  }
  if (total > 0) return static_cast<ssize_t>(total);
  if (end_ == End::kEnded) return 0;
  errno = end_ == End::kBroken ? EPROTO : EAGAIN;
  return -1;
}

void TlsSession::note_end(int error) {
  end_ = End::kEnded;
  if (error == SSL_ERROR_ZERO_RETURN) return;
  if (ERR_GET_REASON(::ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    truncated_ = true;
    ::ERR_clear_error();
    return;
  }
  // An alert is a peer's way to end, and no reset.
  truncated_ = ERR_GET_REASON(::ERR_peek_error()) > SSL_AD_REASON_OFFSET;
  if (!truncated_) end_ = End::kBroken;
  fail(error);
}

bool TlsSession::seal(ByteView bytes) {
  while (!bytes.empty()) {
    ::ERR_clear_error();
    std::size_t taken = 0;
    if (::SSL_write_ex(ssl_, bytes.data(), bytes.size(), &taken) != 1) {
      ::ERR_clear_error();
      return false;
    }
    bytes.remove_prefix(taken);
  }
  return true;
}

void TlsSession::seal_end() {
  if (!finished_ || !failure_.empty()) return;
  ::ERR_clear_error();
  ::SSL_shutdown(ssl_);
  ::ERR_clear_error();
}

}  // namespace misrule::proxy
