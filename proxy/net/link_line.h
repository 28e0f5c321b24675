#pragma once

// One direction of a connection with link faults: bytes wait here for their time, in order.
//
// It exists for connections that a link rule took hold of, from then on. Who writes is let on while
// less than kWaitingMax bytes wait, so a slow link pushes back on the sender as a slow network
// does.

#include <coroutine>
#include <cstdint>
#include <deque>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "proxy/net/gate.h"
#include "proxy/net/stream.h"
#include "proxy/net/task.h"
#include "proxy/rules/link.h"

namespace misrule::proxy {

/// Is told what a link with faults does, and when.
class LinkOwner {
 public:
  /// Its faults end the connection.
  virtual void link_ends(bool by_reset) = 0;
  /// What waited goes to its peer now.
  virtual void link_sends(const Stream& to) = 0;

 protected:
  ~LinkOwner() = default;
};

class LinkLine {
 public:
  static constexpr std::size_t kWaitingMax = kMiB;

  /// `seed` makes the jitter of this line repeat.
  LinkLine(Loop& loop, Stream& out, LinkOwner& owner, std::uint64_t seed);
  LinkLine(const LinkLine&) = delete;
  LinkLine& operator=(const LinkLine&) = delete;

  void use(const rules::LinkShape& shape);
  /// Nothing waits and no fault holds: bytes may go past it.
  bool is_idle() const {
    return waiting_.empty() && !sending_ && !half_closed_ && shape_ == rules::LinkShape{};
  }
  /// What waits goes on when the fault ends, and not before.
  bool is_stalled() const { return shape_.stall && !broken_ && !finished_; }
  /// How much later than without faults an end may come.
  Duration lag() const;

  /// Takes a copy of `bytes`. False: the writer shall wait_for_room() first to go on.
  bool take(ByteView bytes);
  void wait_for_room(std::coroutine_handle<> writer) { writer_ = writer; }
  bool broken() const { return broken_; }

  /// The end of the stream comes after what waits. False: wait_for_end().
  bool finish();
  void wait_for_end(std::coroutine_handle<> finisher) { finisher_ = finisher; }
  /// Whoever waits goes on; nothing is sent any more.
  void abort();

 private:
  struct Chunk {
    std::string bytes = {};
    std::size_t sent = 0;
    TimePoint taken = {};
    double jitter = 0;  ///< In [-1, 1): its part of the shape's jitter.
  };

  Task run();
  Task send_piece();
  Task end_stream();
  TimePoint due(const Chunk& chunk) const;
  std::size_t piece_size(const Chunk& chunk) const;
  Duration pause_after(std::size_t bytes) const;
  bool ends_by_count();
  void throw_away();
  void wake_writer();
  void wake_finisher();

  Loop& loop_;
  Stream& out_;
  LinkOwner& owner_;
  const std::uint64_t seed_;
  rules::LinkShape shape_ = {};
  std::deque<Chunk> waiting_ = {};
  std::size_t waiting_bytes_ = 0;
  std::uint64_t taken_chunks_ = 0;
  std::uint64_t passed_ = 0;  ///< Bytes since a limit holds.
  TimePoint last_due_ = {};
  std::coroutine_handle<> writer_ = {};
  std::coroutine_handle<> finisher_ = {};
  bool sending_ = false;
  bool finishing_ = false;
  bool finished_ = false;
  bool half_closed_ = false;
  bool lost_ = false;  ///< Bytes have vanished: the stream cannot be whole any more.
  bool broken_ = false;
  Gate gate_;
  Task task_;  // Last: it ends before what it uses.
};

}  // namespace misrule::proxy
