#pragma once

// Who may write to a Stream: two pumps can have something to say to one side, and must not mix.
//
// Turns are handed on in the order in which they were asked for. A pump asks for all it will need
// at once, right after the walk that made it write: so everybody's turns stand in the same order on
// both sides of a connection, and nobody waits in a circle.

#include <coroutine>
#include <cstdint>
#include <utility>
#include <vector>

#include "proxy/net/loop.h"

namespace misrule::proxy {

class WriteTurns {
 public:
  explicit WriteTurns(Loop& loop) : loop_(loop) {}

 private:
  friend class WriteTurn;
  struct Parked {
    std::uint64_t number = 0;
    std::coroutine_handle<> handle = {};
  };
  void hand_on() {
    ++serving_;
    for (auto it = parked_.begin(); it != parked_.end(); ++it) {
      if (it->number != serving_) continue;
      loop_.defer(it->handle);
      parked_.erase(it);
      return;
    }
  }

  Loop& loop_;
  std::uint64_t asked_ = 0;
  std::uint64_t serving_ = 1;
  std::vector<Parked> parked_;
};

/// One turn. It must be awaited before it is destroyed; destroying it hands it on.
class WriteTurn {
 public:
  /// No turn at all: ready at once.
  WriteTurn() = default;
  explicit WriteTurn(WriteTurns& turns) : turns_(&turns), number_(++turns.asked_) {}
  WriteTurn(WriteTurn&& other) noexcept
      : turns_(std::exchange(other.turns_, nullptr)), number_(other.number_) {}
  WriteTurn& operator=(WriteTurn&& other) noexcept {
    std::swap(turns_, other.turns_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~WriteTurn() { give_back(); }

  void give_back() {
    if (turns_ != nullptr) std::exchange(turns_, nullptr)->hand_on();
  }

  bool await_ready() const { return turns_ == nullptr || turns_->serving_ == number_; }
  void await_suspend(std::coroutine_handle<> h) { turns_->parked_.push_back({number_, h}); }
  void await_resume() const {}

 private:
  WriteTurns* turns_ = nullptr;
  std::uint64_t number_ = 0;
};

}  // namespace misrule::proxy
