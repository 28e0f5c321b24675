#include "tests/proxy/net/tls_peer.h"

#include <array>

#include <openssl/err.h>

#include "base/check.h"

namespace misrule::proxy::testing {

namespace {

// Of both kinds one serves all peers: making it takes longer than most of what they do.
SSL_CTX* client_context() {
  static const TlsContext made(::SSL_CTX_new(::TLS_client_method()));
  return made.get();
}

SSL_CTX* server_context() {
  static const TlsContext made(::SSL_CTX_new(::TLS_server_method()));
  return made.get();
}

}  // namespace

TlsPeer::TlsPeer(const Identity* identity)
    : ssl_(::SSL_new(identity == nullptr ? client_context() : server_context())) {
  if (identity != nullptr) {
    MISRULE_CHECK(::SSL_use_cert_and_key(ssl_.get(), identity->certificate.get(),
                                         identity->key.get(), nullptr, 1) == 1);
  }
  ::SSL_set_bio(ssl_.get(), ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
  if (identity == nullptr) {
    ::SSL_set_connect_state(ssl_.get());
  } else {
    ::SSL_set_accept_state(ssl_.get());
  }
}

std::string TlsPeer::outgoing() {
  std::string bytes(::BIO_ctrl_pending(::SSL_get_wbio(ssl_.get())), '\0');
  ::BIO_read(::SSL_get_wbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  if (tamper_) tamper_(bytes);
  return bytes;
}

std::string TlsPeer::hello() {
  ::SSL_do_handshake(ssl_.get());
  ::ERR_clear_error();
  return outgoing();
}

void TlsPeer::step(Peer& wire) {
  const std::string come = wire.receive();
  ::BIO_write(::SSL_get_rbio(ssl_.get()), come.data(), static_cast<int>(come.size()));
  ::SSL_do_handshake(ssl_.get());
  ::ERR_clear_error();
  // Whoever it is for may be gone by now.
  const std::string bytes = outgoing();
  ::send(wire.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void TlsPeer::send(Peer& wire, std::string_view text) {
  if (!text.empty()) ::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  const std::string bytes = outgoing();
  ::send(wire.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::ERR_clear_error();
}

std::string TlsPeer::receive(Peer& wire) {
  const std::string come = wire.receive();
  ::BIO_write(::SSL_get_rbio(ssl_.get()), come.data(), static_cast<int>(come.size()));
  std::string all;
  std::array<char, 4096> chunk{};
  int got = 0;
  while ((got = ::SSL_read(ssl_.get(), chunk.data(), chunk.size())) > 0) {
    all.append(chunk.data(), static_cast<std::size_t>(got));
  }
  ::ERR_clear_error();
  return all;
}

void TlsPeer::end(Peer& wire) {
  ::SSL_shutdown(ssl_.get());
  send(wire, "");
}

}  // namespace misrule::proxy::testing
