#pragma once

// The other end of a TLS leg, in a test's hands: nothing happens but what it is told to do.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/net/tls_authority.h"
#include "proxy/net/tls_openssl.h"
#include "tests/proxy/net/test_bed.h"

namespace misrule::proxy::testing {

class TlsPeer {
 public:
  /// A client, or with an identity a server.
  explicit TlsPeer(const Identity* identity = nullptr);

  /// As far as it goes now: what has come is taken, what is to go is sent.
  void step(Peer& wire);
  bool stands() const { return ::SSL_is_init_finished(ssl_.get()) != 0; }
  void send(Peer& wire, std::string_view text);
  /// Everything that has come by now.
  std::string receive(Peer& wire);
  /// Says that it ends.
  void end(Peer& wire);
  bool was_told_of_end() const {
    return (::SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  /// Its first bytes.
  std::string hello();
  /// Somebody on the way changes what it sends.
  void be_tampered_with(std::function<void(std::string&)> by) { tamper_ = std::move(by); }

 private:
  std::string outgoing();

  std::unique_ptr<SSL, OpenSslFree> ssl_;
  std::function<void(std::string&)> tamper_ = {};
};

}  // namespace misrule::proxy::testing
