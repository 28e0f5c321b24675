#pragma once

// One line of execution of a spec: its limits, its frames, and how it is stopped.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/value.h"

namespace misrule::star {

class Runtime;
class CallStack;

struct ThreadLimits {
  std::uint64_t steps_max = 0;  ///< Statements, calls and iterations; 0: without bound.
  std::uint32_t call_depth_max = 1000;
};

/// Used by one OS thread at a time. cancel() may come from any.
class Thread {
 public:
  using Print = std::function<void(Thread&, std::string_view line)>;

  Thread(Runtime& runtime, std::string name, ThreadLimits limits = {});
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  Runtime& runtime() const { return runtime_; }
  const std::string& name() const { return name_; }

  /// Ends what runs here at its next step and whatever starts later, until reset(). Wakes what an
  /// Interrupt guards. The first reason stays.
  void cancel(std::string reason) noexcept;
  bool is_cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  /// Throws Cancelled if so. A native calls it after it waited.
  void check_cancelled() const;
  void reset();

  void set_print(Print print) { print_ = std::move(print); }
  void print(std::string_view line);

  /// Frames now, outermost first.
  std::vector<CallFrame> frames() const;
  /// Where the innermost spec code is: the identity of a call site for natives.
  Span here() const;
  std::uint64_t steps() const;
  void set_steps_max(std::uint64_t steps) { limits_.steps_max = steps; }

  void* user = nullptr;  ///< The host's.

 private:
  friend class Interpreter;
  friend class Interrupt;
  friend class Forbid;
  friend class Runtime;
  friend class CallStack;

  Runtime& runtime_;
  std::string name_;
  ThreadLimits limits_;
  Print print_;
  std::unique_ptr<CallStack> stack_;
  std::uint32_t forbidden_ = 0;
  std::string_view forbidden_where_ = {};
  std::atomic<bool> cancelled_ = false;
  struct CancelState;
  std::unique_ptr<CancelState> cancel_state_;
};

/// While it lives, cancelling the thread calls `wake` (from the cancelling OS thread; at once if it
/// is cancelled already). For natives that wait.
class Interrupt {
 public:
  Interrupt(Thread& thread, std::function<void()> wake);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  Thread& thread_;
  std::uint64_t id_;
};

/// While it lives, natives with one of these flags cannot be called on the thread: "service cannot
/// be called in a predicate".
class Forbid {
 public:
  Forbid(Thread& thread, std::uint32_t flags, std::string_view where);
  ~Forbid();
  Forbid(const Forbid&) = delete;
  Forbid& operator=(const Forbid&) = delete;

 private:
  Thread& thread_;
  std::uint32_t before_;
  std::string_view where_before_;
};

}  // namespace misrule::star
