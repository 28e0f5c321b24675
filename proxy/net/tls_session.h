#pragma once

// One leg's TLS: what a socket brings becomes what a reader gets, what is written becomes records.
//
// It reads from the leg's Stream by itself and never writes: what is to go out waits in
// take_outgoing(), so that a faulty link carries records as it carries every other byte.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/bytes.h"

// OpenSSL's own names; its headers stay in tls_*.cc.
struct ssl_st;
struct ssl_ctx_st;
struct bio_st;

namespace misrule::proxy {

class Stream;
struct Identity;

/// What a client's first message asks for.
struct ClientHello {
  std::string server_name = {};
  std::vector<std::string> protocols = {};  ///< ALPN, in its order.
};

class TlsSession {
 public:
  enum class Step : std::uint8_t {
    kWants,  ///< Bytes from the peer.
    kHello,  ///< The client's first message is there: answer() it, then go on.
    kDone,
    kFailed,
  };

  /// Towards a client. What `stream` has read already is the first of it.
  static std::unique_ptr<TlsSession> serve(ssl_ctx_st* context, Stream& stream);
  /// Towards the server. `server_name` empty: none is told.
  struct Call {
    std::string server_name = {};
    std::vector<std::string> protocols = {};
  };
  static std::unique_ptr<TlsSession> call(ssl_ctx_st* context, Stream& stream, const Call& call);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Step handshake();
  const ClientHello& hello() const { return hello_; }
  /// `protocol`: of those offered, or empty. `identity` null: the context's own.
  void answer(std::string protocol, const Identity* identity);
  /// To a client that said kHello: it is told that nothing will come of it.
  void refuse() { refused_ = true; }
  std::string protocol() const;

  /// As recv(2): 0 at the end that the peer told, or at one that it did not (was_truncated()).
  ssize_t read(char* into, std::size_t size);
  bool was_truncated() const { return truncated_; }
  /// False: nothing can be written any more.
  bool seal(ByteView bytes);
  /// No more will be written, and the peer is told.
  void seal_end();
  std::string take_outgoing() { return std::exchange(outgoing_, {}); }
  bool has_outgoing() const { return !outgoing_.empty(); }

  /// Why it failed, in OpenSSL's words; empty if it did not.
  const std::string& failure() const { return failure_; }
  /// No byte of TLS has ever come.
  bool is_untouched() const { return !touched_; }

  // For the callbacks alone.
  int take_from_wire(char* into, int size);
  int put_on_wire(const char* from, int size);
  bool wire_has_ended() const { return wire_ended_; }
  int on_hello(ssl_st* ssl, int* alert);
  /// Nothing: no answer to the client's offer.
  const std::string& chosen() const { return chosen_; }

 private:
  TlsSession(ssl_ctx_st* context, Stream& stream);
  enum class End : std::uint8_t { kOpen, kEnded, kBroken };
  void fail(int error);
  void note_end(int error);

  Stream& stream_;
  ssl_st* ssl_;
  std::string early_;  ///< Was read before TLS was expected, from early_at_ on.
  std::size_t early_at_ = 0;
  std::string outgoing_ = {};
  ClientHello hello_ = {};
  std::string chosen_ = {};
  std::string failure_ = {};
  End end_ = End::kOpen;  ///< Of what is read.
  bool answered_ = false;
  bool refused_ = false;
  bool touched_ = false;
  bool wire_ended_ = false;
  bool truncated_ = false;
  bool finished_ = false;  ///< The handshake.
};

}  // namespace misrule::proxy
