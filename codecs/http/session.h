#pragma once

// What the two directions of one connection know together.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "codecs/http/ledger.h"
#include "codecs/http/limits.h"

namespace misrule::codecs::http {

/// Bytes for the client that stand at the head of the ledger, and how the connection ends after
/// them.
struct Injection {
  enum class End : std::uint8_t { kNone, kClose, kReset } end = End::kNone;
  std::string bytes = {};

  bool empty() const { return bytes.empty() && end == End::kNone; }
  Close as_close() && { return {.reset = end == End::kReset, .to_client = std::move(bytes)}; }
};

/// What the client was told in the place of a reply.
struct Told {
  unsigned status = 0;        ///< 0: the server's.
  std::string_view how = {};  ///< "rewritten".
};

class Session {
 public:
  Session(ConversationHost& host, const Limits& limits) : host_(host), limits_(limits) {}

  ConversationHost& host() { return host_; }
  const Limits& limits() const { return limits_; }
  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }

  /// Takes what is ready at the head of the ledger, and tells of each that it was exchanged. Only
  /// while the reply stream stands between two replies.
  Injection take_ready();

  /// The reply to the head of the ledger is complete.
  void finish_front(unsigned status, const Told& told = {});
  /// A reply to the head of the ledger came, and the connection ends in its place, or in it.
  void lose_front(unsigned status, bool in_it = false);
  /// The connection ends: nobody in the ledger will be answered.
  void finish_all();
  /// What becomes of the units in the ledger can no longer be seen.
  void finish_all_unseen();
  /// Has the client been promised something that no server will send?
  bool owes_injection() const;
  std::uint64_t next_unit() { return ++last_unit_; }

  /// From now on requests flow undecoded; replies do when what was asked before is answered.
  void requests_opaque(std::string_view why);
  /// From now on both flow undecoded.
  void all_opaque(std::string_view why);

  // Flags that one direction sets and the other reads.
  bool requests_raw = false;
  bool replies_raw = false;
  bool reply_at_border = true;
  /// The server's last reply said that the connection ends, or it has ended.
  bool server_done = false;
  /// The connection was closed by an act of ours.
  bool closed = false;
  /// A request to switch protocols is on its way: what follows it cannot be read before the answer.
  bool switch_pending = false;
  /// The unit whose body is announced with "Expect: 100-continue" and has not begun; 0 if none.
  std::uint64_t awaits_continue = 0;
  /// A request that is sent twice awaits nothing the second time, and is no unit of its own.
  bool awaits_body_of(const Owed& owed) const {
    return awaits_continue != 0 && awaits_continue == owed.unit;
  }
  /// The final reply came in place of the 100: the client may send the body or leave it out.
  bool body_uncertain = false;
  /// Since a handshake both directions are WebSocket frames; what was asked for then.
  std::unique_ptr<Asked> websocket = {};
  bool websocket_compressed = false;
  /// The client's side of the stream stands between two frames.
  bool client_at_frame_border = true;

 private:
  void tell_opaque(std::string_view why);

  ConversationHost& host_;
  Limits limits_;
  Ledger ledger_;
  std::uint64_t last_unit_ = 0;
  bool opaque_told_ = false;
};

}  // namespace misrule::codecs::http
