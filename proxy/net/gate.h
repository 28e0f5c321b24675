#pragma once

// Where one coroutine waits for a time, or until somebody lets it go.

#include <coroutine>
#include <utility>

#include "base/clock.h"
#include "codecs/conversation.h"
#include "proxy/net/loop.h"

namespace misrule::proxy {

class Gate {
 public:
  explicit Gate(Loop& loop) : loop_(loop) {}
  ~Gate() { loop_.cancel(timer_); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  bool waiting() const { return static_cast<bool>(parked_); }
  /// Nothing if nobody waits.
  void release(codecs::Released why) {
    if (!parked_) return;
    why_ = why;
    loop_.cancel(timer_);
    loop_.defer(std::exchange(parked_, {}));
  }

  /// Answers why the wait is over.
  auto wait_until(TimePoint due) {
    struct Awaiter {
      Gate& gate;
      TimePoint due;
      bool await_ready() const { return due <= gate.loop_.now(); }
      void await_suspend(std::coroutine_handle<> h) {
        gate.parked_ = h;
        gate.timer_ = gate.loop_.at(due, [this_gate = &gate] {
          this_gate->timer_ = {};
          this_gate->release(codecs::Released::kDue);
        });
      }
      codecs::Released await_resume() const {
        return std::exchange(gate.why_, codecs::Released::kDue);
      }
    };
    return Awaiter{*this, due};
  }

 private:
  Loop& loop_;
  Loop::Timer timer_ = {};
  std::coroutine_handle<> parked_;
  codecs::Released why_ = codecs::Released::kDue;
};

}  // namespace misrule::proxy
