#include "proxy/net/tls_listener.h"

#include <utility>

#include <arpa/inet.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "proxy/net/tls_authority.h"
#include "proxy/net/tls_openssl.h"
#include "proxy/net/tls_session.h"
#include "proxy/net/unix_sockets.h"

namespace misrule::proxy {

namespace {

constexpr Logger kLog{"proxy/tls"};
/// So many names get a certificate of their own; who asks for more gets the first one.
constexpr std::size_t kNamesMax = 64;

int on_hello(SSL* ssl, int* alert, void*) {
  return static_cast<TlsSession*>(SSL_get_app_data(ssl))->on_hello(ssl, alert);
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL calls it so.
int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char*,
            unsigned, void*) {
  const std::string& chosen = static_cast<TlsSession*>(SSL_get_app_data(ssl))->chosen();
  if (chosen.empty()) return SSL_TLSEXT_ERR_NOACK;
  *out = reinterpret_cast<const unsigned char*>(chosen.data());
  *size = static_cast<unsigned char>(chosen.size());
  return SSL_TLSEXT_ERR_OK;
}

/// Every connection is for itself: no sessions that another one resumes, no renegotiation.
TlsContext make_context(const SSL_METHOD* method) {
  TlsContext context(::SSL_CTX_new(method));
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context.get(),
                        SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  ::SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Status use_files(SSL_CTX* context, const std::string& cert, const std::string& key) {
  if (key.empty()) {
    return fail(Code::kInvalid, fmt::format("{}: a certificate needs its key, too", cert));
  }
  if (::SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1) {
    return openssl_failure("the certificate " + cert);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return openssl_failure("the key " + key);
  }
  return {};
}

bool is_loopback(const Endpoint& endpoint) {
  if (is_unix(endpoint)) return true;
  const std::string text = endpoint_text(endpoint);
  return text.starts_with("127.") || text.starts_with("[::1]") || text.starts_with("[::ffff:127.");
}

/// Without its port and its brackets.
std::string address_of(const Endpoint& endpoint) {
  std::string text = endpoint_text(endpoint);
  text = text.substr(0, text.rfind(':'));
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  return text;
}

bool is_address(const std::string& name) {
  in6_addr address;
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsListener>> TlsListener::make(const Listener& listener,
                                                       const Authority* authority) {
  if (!listener.tls && !listener.upstream_tls) return nullptr;
  std::unique_ptr<TlsListener> made(new TlsListener(listener));
  if (listener.tls) MISRULE_TRY_VOID(made->make_client_side(authority));
  if (listener.upstream_tls) MISRULE_TRY_VOID(made->make_server_side());
  return made;
}

TlsListener::TlsListener(Listener listener) : listener_(std::move(listener)) {}

TlsListener::~TlsListener() {
  ::SSL_CTX_free(client_);
  ::SSL_CTX_free(server_);
}

Status TlsListener::make_client_side(const Authority* authority) {
  TlsContext context = make_context(::TLS_server_method());
  if (!context) return openssl_failure("TLS");
  ::SSL_CTX_set_client_hello_cb(context.get(), on_hello, nullptr);
  ::SSL_CTX_set_alpn_select_cb(context.get(), on_alpn, nullptr);
  if (!listener_.tls->cert.empty()) {
    MISRULE_TRY_VOID(use_files(context.get(), listener_.tls->cert, listener_.tls->key));
  } else if (authority != nullptr) {
    authority_ = authority;
    MISRULE_TRY(const Identity own, authority->issue({listener_.service}));
    if (::SSL_CTX_use_cert_and_key(context.get(), own.certificate.get(), own.key.get(), nullptr,
                                   1) != 1) {
      return openssl_failure("a certificate made on the fly");
    }
  } else {
    return fail(Code::kInvalid, "TLS without a certificate, and nobody to sign one");
  }
  client_ = context.release();
  return {};
}

bool TlsListener::is_verified() const {
  const ServerTls& tls = *listener_.upstream_tls;
  if (tls.verify != ServerTls::Verify::kByPlace) return tls.verify != ServerTls::Verify::kNone;
  return !tls.ca.empty() || !is_loopback(listener_.upstream);
}

Status TlsListener::make_server_side() {
  const ServerTls& tls = *listener_.upstream_tls;
  TlsContext context = make_context(::TLS_client_method());
  if (!context) return openssl_failure("TLS");
  if (!tls.cert.empty()) MISRULE_TRY_VOID(use_files(context.get(), tls.cert, tls.key));
  if (tls.ca.empty()) {
    ::SSL_CTX_set_default_verify_paths(context.get());
  } else if (::SSL_CTX_load_verify_file(context.get(), tls.ca.c_str()) != 1) {
    return openssl_failure("the authority " + tls.ca);
  }
  const bool verified = is_verified();
  ::SSL_CTX_set_verify(context.get(), verified ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verified && tls.verify != ServerTls::Verify::kChain) {
    std::string name = tls.server_name;
    if (name.empty())
      name = is_unix(listener_.upstream) ? "localhost" : address_of(listener_.upstream);
    X509_VERIFY_PARAM* param = ::SSL_CTX_get0_param(context.get());
    const int set = is_address(name) ? ::X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str())
                                     : ::X509_VERIFY_PARAM_set1_host(param, name.c_str(), 0);
    if (set != 1) return openssl_failure("the server's name " + name);
  }
  server_ = context.release();
  return {};
}

std::unique_ptr<TlsSession> TlsListener::serve(Stream& client) const {
  return TlsSession::serve(client_, client);
}

std::unique_ptr<TlsSession> TlsListener::call(Stream& server, const std::string& asked_name,
                                              std::vector<std::string> protocols) const {
  const std::string& own_name = listener_.upstream_tls->server_name;
  std::string name = own_name.empty() ? asked_name : own_name;
  // Addresses are no names for this purpose (RFC 6066).
  if (is_address(name)) name.clear();
  return TlsSession::call(server_, server,
                          {.server_name = std::move(name), .protocols = std::move(protocols)});
}

const Identity* TlsListener::identity_for(const std::string& server_name) {
  const bool own =
      server_name.empty() || server_name == "localhost" || server_name == listener_.service;
  if (authority_ == nullptr || own) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(server_name);
  if (found != made_.end()) return found->second.get();
  if (made_.size() >= kNamesMax) return nullptr;
  auto issued = authority_->issue({server_name, listener_.service});
  if (!issued) {
    kLog.warn("{}", issued.error().what);
    return nullptr;
  }
  auto identity = std::make_unique<Identity>(*std::move(issued));
  return made_.emplace(server_name, std::move(identity)).first->second.get();
}

}  // namespace misrule::proxy
