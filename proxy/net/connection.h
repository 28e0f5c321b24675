#pragma once

// One client with its server: two pumps that never wait for each other's messages.
//
// Each pump reads, lets the conversation walk what it read, writes what may pass and carries out
// what the conversation says: the contract of codecs/conversation.h. Both run on one loop. The
// connection outlives both; it is destroyed at the end of the tick in which the second of them has
// ended.

#include <cstdint>
#include <functional>
#include <memory>

#include "base/unique_fd.h"
#include "codecs/conversation.h"
#include "proxy/net/connection_host.h"
#include "proxy/net/gate.h"
#include "proxy/net/outlet.h"
#include "proxy/net/stream.h"
#include "proxy/net/task.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

class Acceptor;
class Shard;
class TlsOpening;

class Connection final : public StreamOwner, public LinkOwner {
 public:
  struct Ends {
    UniqueFd client = {};
    UniqueFd server = {};  ///< Perhaps still connecting.
  };
  Connection(Shard& shard, const Acceptor& acceptor, std::uint64_t number, Ends ends);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  const Acceptor& acceptor() const { return acceptor_; }

  /// Ends at once, with a TCP reset towards both sides.
  void reset();
  /// Ends at once.
  void kill();
  /// Lets go what is held by a rule that `is_gone` says yes to.
  void release_held(const std::function<bool(std::uint64_t tag)>& is_gone);
  /// Lets go what the rule of this tag holds; how many units.
  std::size_t release_by_hand(std::uint64_t tag);
  void cancel_held();
  ConnectionState state() const;
  /// Takes up the link faults that hold for it; to be called whenever the rules have changed.
  void use_link_faults();

  void peer_gone(const Stream& stream) override;
  void link_ends(bool by_reset) override;
  void link_sends(const Stream& to) override;

 private:
  enum class Phase : std::uint8_t { kConnecting, kOpening, kFlowing, kClosing, kDead };

  /// One direction.
  struct Lane {
    codecs::Direction direction;
    Stream& in;
    Outlet& out;
    Outlet& back;  ///< To where `in` comes from.
    Gate gate;
    std::uint64_t held_unit = 0;
    bool is_cancellable = false;
    std::size_t need = 0;
    std::uint64_t bytes = 0;
    bool out_broken = false;
  };
  struct Turns {
    WriteTurn out = {};
    WriteTurn back = {};
  };

  bool flowing() const { return phase_ == Phase::kFlowing; }
  Task connect();
  /// TLS on the legs that have it, before anything flows.
  Task open_legs();
  Task refuse_legs();
  /// TLS where none is expected flows undecoded, and that is told.
  void meet_first_bytes(ByteView unread);
  /// The end of a lane reaches its other side: told by TLS if it was told to us.
  Task finish(Lane& lane);
  Task run(Lane& lane);
  Task pump(Lane& lane);
  Task carry_out(Lane& lane, codecs::Step step);
  Task apply(Lane& lane, codecs::Act act, Turns turns);
  Task hold(Lane& lane, codecs::Hold hold);
  Task close(codecs::Close close, WriteTurn client_turn);
  void begin_closing();
  Task end(Lane& lane);
  Task apply_last(Lane& lane, codecs::Act act);
  Task drain(Lane& lane);
  Turns ask_turns(Lane& lane, const codecs::Step& step);
  codecs::Step walk(const Lane& lane, ByteView unread);
  void tell_passing(const Lane& lane);
  void count(Lane& lane, std::size_t bytes);
  std::string state_text() const;
  void end_within(Duration limit);
  void release_gates(codecs::Released why);
  void tell_cancellable();
  void settled();

  Shard& shard_;
  const Acceptor& acceptor_;
  const std::uint64_t number_;
  const TimePoint began_;
  ConnectionHost host_;
  std::unique_ptr<codecs::Conversation> conversation_;
  Stream client_;
  Stream server_;
  Outlet client_out_;
  Outlet server_out_;
  std::unique_ptr<TlsOpening> opening_;  ///< Null where the listener has no TLS.
  Lane to_server_;
  Lane to_client_;
  Loop::Timer deadline_ = {};
  Phase phase_ = Phase::kConnecting;
  int ended_ = 0;
  // Last: they end before what they use.
  Task connecting_;
  Task up_;
  Task down_;
};

}  // namespace misrule::proxy
