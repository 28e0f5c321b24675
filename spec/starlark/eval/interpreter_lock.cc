// The interpreter lock: a ticket lock, so that nobody is passed over.

#include "spec/starlark/eval/interpreter_lock.h"

#include "base/check.h"

namespace misrule::star {

bool InterpreterLock::is_mine() const {
  return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void InterpreterLock::take(unsigned depth) {
  std::unique_lock guard(mutex_);
  const std::uint64_t mine = next_ticket_++;
  ++waiters_;
  turn_.wait(guard, [&] { return now_serving_ == mine; });
  --waiters_;
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  depth_ = depth;
}

void InterpreterLock::acquire() {
  if (is_mine()) {
    ++depth_;
  } else {
    take(1);
  }
}

void InterpreterLock::release() {
  MISRULE_CHECK(is_mine());
  if (depth_ > 1) {
    --depth_;
  } else {
    release_fully();
  }
}

unsigned InterpreterLock::release_fully() {
  MISRULE_CHECK(is_mine());
  const unsigned depth = depth_;
  {
    const std::lock_guard guard(mutex_);
    owner_.store({}, std::memory_order_relaxed);
    depth_ = 0;
    ++now_serving_;
  }
  turn_.notify_all();
  return depth;
}

void InterpreterLock::reacquire(unsigned depth) { take(depth); }

}  // namespace misrule::star
