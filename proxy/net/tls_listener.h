#pragma once

// What a listener knows of TLS: its own certificates, and how it speaks with its server.
//
// Made once, in the thread that adds the listener; used by all loops.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "proxy/proxy.h"

struct ssl_ctx_st;

namespace misrule::proxy {

class Authority;
class TlsSession;
class Stream;
struct Identity;

class TlsListener {
 public:
  /// Null if `listener` speaks no TLS at all. `authority` outlives it, and is null where none was
  /// made.
  static Result<std::unique_ptr<TlsListener>> make(const Listener& listener,
                                                   const Authority* authority);
  /// For another server that is spoken with in the same way.
  Result<std::unique_ptr<TlsListener>> like(const Listener& listener) const {
    return make(listener, authority_);
  }
  ~TlsListener();
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;

  bool towards_client() const { return client_ != nullptr; }
  bool towards_server() const { return server_ != nullptr; }

  std::unique_ptr<TlsSession> serve(Stream& client) const;
  /// `asked_name`: the one that the client asked for.
  std::unique_ptr<TlsSession> call(Stream& server, const std::string& asked_name,
                                   std::vector<std::string> protocols) const;
  /// For a client that asks for `server_name`; null: the context's own certificate does.
  const Identity* identity_for(const std::string& server_name);

 private:
  explicit TlsListener(Listener listener);
  Status make_client_side(const Authority* authority);
  Status make_server_side();
  bool is_verified() const;

  const Listener listener_;
  const Authority* authority_ = nullptr;  ///< Where certificates are made on the fly.
  ssl_ctx_st* client_ = nullptr;
  ssl_ctx_st* server_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Identity>> made_;
};

}  // namespace misrule::proxy
