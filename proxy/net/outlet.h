#pragma once

// Where the bytes for one side of a connection leave: straight into its stream, or as a faulty link
// carries them. TLS seals them before, so that a link's faults count and cut what is on the wire.

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "proxy/net/link_line.h"
#include "proxy/net/stream.h"
#include "proxy/net/task.h"
#include "proxy/rules/link.h"

namespace misrule::proxy {

class Outlet {
  // First, for those below are made of it.
  /// Bytes as they are on the wire.
  auto write_wire(ByteView bytes) {
    using Plain = decltype(std::declval<Stream&>().write(bytes));
    struct Awaiter {
      std::optional<Plain> plain;
      LinkLine* line;
      ByteView bytes;
      bool await_ready() { return plain ? plain->await_ready() : line->take(bytes); }
      void await_suspend(std::coroutine_handle<> h) {
        if (plain) {
          plain->await_suspend(h);
        } else {
          line->wait_for_room(h);
        }
      }
      bool await_resume() const { return plain ? plain->await_resume() : !line->broken(); }
    };
    if (!is_shaped()) return Awaiter{stream_.write(bytes), nullptr, {}};
    return Awaiter{std::nullopt, line_.get(), bytes};
  }

 public:
  Outlet(Loop& loop, Stream& stream, LinkOwner& owner, std::uint64_t seed)
      : loop_(loop), stream_(stream), owner_(owner), seed_(seed) {}
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  void use(const rules::LinkShape& shape) {
    if (!line_ && shape == rules::LinkShape{}) return;
    if (!line_) line_ = std::make_unique<LinkLine>(loop_, stream_, owner_, seed_);
    line_->use(shape);
  }

  /// From now on everything is sealed by `tls`.
  void seal_with(TlsSession& tls) { tls_ = &tls; }

  /// True when all of `bytes` has been taken, by the kernel or by the faulty link. False: the
  /// stream cannot be written any more.
  auto write(ByteView bytes) {
    using Wire = decltype(std::declval<Outlet&>().write_wire(bytes));
    struct Awaiter {
      Outlet& outlet;
      std::optional<Wire> wire;
      Task sealed;
      bool await_ready() { return wire ? wire->await_ready() : sealed.await_ready(); }
      void await_suspend(std::coroutine_handle<> h) {
        if (wire) {
          wire->await_suspend(h);
        } else {
          sealed.await_suspend(h);
        }
      }
      bool await_resume() const { return wire ? wire->await_resume() : outlet.sealed_ok_; }
    };
    if (tls_ == nullptr) [[likely]]
      return Awaiter{*this, write_wire(bytes), {}};
    sealed_ok_ = true;
    return Awaiter{*this, std::nullopt, write_sealed(bytes)};
  }
  /// What `session` has to tell its peer.
  Task send_outgoing(TlsSession& session);

  /// What is written waits for the time that a faulty link gives it.
  bool is_shaped() const { return line_ != nullptr && !line_->is_idle(); }
  WriteTurns& turns() { return stream_.turns(); }

  bool is_sealed() const { return tls_ != nullptr; }
  /// Tells the peer of TLS that the end is meant; to be followed by finish().
  Task end_sealed(WriteTurn turn);
  /// The same if nothing is under way; nobody waits.
  void end_at_once();
  /// The end of the stream, after everything that was written.
  auto finish() {
    struct Awaiter {
      LinkLine* line;
      bool await_ready() const { return line == nullptr || line->finish(); }
      void await_suspend(std::coroutine_handle<> h) const { line->wait_for_end(h); }
      void await_resume() const {}
    };
    if (line_) return Awaiter{line_.get()};
    stream_.shutdown_send();
    return Awaiter{nullptr};
  }
  bool is_stalled() const { return line_ != nullptr && line_->is_stalled(); }
  Duration lag() const { return line_ ? line_->lag() : Duration::zero(); }
  /// Nobody waits any more; nothing is sent any more.
  void abort() {
    if (line_) line_->abort();
  }

 private:
  Task write_sealed(ByteView bytes);

  Loop& loop_;
  Stream& stream_;
  LinkOwner& owner_;
  const std::uint64_t seed_;
  std::unique_ptr<LinkLine> line_ = {};
  TlsSession* tls_ = nullptr;
  bool sealed_ok_ = true;
};

}  // namespace misrule::proxy
