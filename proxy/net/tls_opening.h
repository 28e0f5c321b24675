#pragma once

// How does a connection of a TLS listener begin, before its pumps run?
//
// The client is answered first, as far as its first message: what it asks for (a name, protocols)
// is what the server is asked for. Then the server's leg is secured, then the client's.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/outlet.h"
#include "proxy/net/stream.h"
#include "proxy/net/task.h"
#include "proxy/net/tls_listener.h"
#include "proxy/net/tls_session.h"
#include "spec/model/topology.h"

namespace misrule::proxy {

class TlsOpening {
 public:
  struct Ends {
    Loop& loop;
    Stream& client;
    Stream& server;
    Outlet& client_out;
    Outlet& server_out;
  };
  TlsOpening(TlsListener& listener, Ends ends, model::Protocol protocol, bool sniffs)
      : listener_(listener), ends_(ends), protocol_(protocol), sniffs_(sniffs) {}
  ~TlsOpening();
  TlsOpening(const TlsOpening&) = delete;
  TlsOpening& operator=(const TlsOpening&) = delete;

  /// Both legs; afterwards ok() or why().
  Task run();
  bool ok() const { return why_.empty() && !gave_up_; }
  /// Empty where a client went before it began.
  const std::string& why() const { return why_; }
  /// Why a leg that stood broke later; empty if it did not.
  std::string failure_of(const Stream& stream) const;
  /// It ended without TLS saying so.
  bool was_cut(const Stream& stream) const;
  bool client_is_sealed() const { return client_ != nullptr; }
  /// A Postgres server that may offer what binds to TLS, to a client that has none.
  bool hides_channel_binding() const {
    return protocol_ == model::Protocol::kPostgres && server_ != nullptr && client_ == nullptr;
  }

 private:
  Task receive_client();
  Task answer_first_packets();
  Task hear_client();
  Task answer_client();
  Task find_protocol();
  Task ask_postgres();
  Task secure_server();
  Task drive(TlsSession& session, Stream& stream, Outlet& out);
  std::string choose() const;
  std::vector<std::string> offer() const;
  bool speaks_postgres() const { return protocol_ == model::Protocol::kPostgres; }
  void give_up(std::string why);
  void arm();

  TlsListener& listener_;
  const Ends ends_;
  model::Protocol protocol_;
  const bool sniffs_;
  std::unique_ptr<TlsSession> client_ = {};
  std::unique_ptr<TlsSession> server_ = {};
  Loop::Timer deadline_ = {};
  TlsSession::Step step_ = TlsSession::Step::kWants;
  bool client_begins_ = false;  ///< Its first message waits for an answer.
  bool is_direct_ = false;      ///< TLS from the first byte.
  bool gave_up_ = false;
  bool timed_out_ = false;
  std::string why_ = {};
};

/// The beginning of TLS: a record with a client's first message.
bool looks_like_tls(ByteView first_bytes);

}  // namespace misrule::proxy
