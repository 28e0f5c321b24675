// Threads: counting steps, being cancelled, and what their frames are.

#include "spec/starlark/thread.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/check.h"
#include "fmt/format.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/eval/interpreter_lock.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {

struct Thread::CancelState {
  std::mutex lock;
  std::string reason;
  std::map<std::uint64_t, std::function<void()>> wakes;
  std::uint64_t next_id = 1;
};

Thread::Thread(Runtime& runtime, std::string name, ThreadLimits limits)
    : runtime_(runtime),
      name_(std::move(name)),
      limits_(limits),
      stack_(std::make_unique<CallStack>()),
      cancel_state_(std::make_unique<CancelState>()) {}

Thread::~Thread() = default;

void Thread::cancel(std::string reason) noexcept {
  const std::lock_guard guard(cancel_state_->lock);
  if (cancelled_.load(std::memory_order_relaxed)) return;
  cancel_state_->reason = std::move(reason);
  cancelled_.store(true, std::memory_order_release);
  for (const auto& [id, wake] : cancel_state_->wakes) wake();
}

void Thread::check_cancelled() const {
  if (!is_cancelled()) return;
  const std::lock_guard guard(cancel_state_->lock);
  throw Cancelled(cancel_state_->reason);
}

void Thread::reset() {
  const std::lock_guard guard(cancel_state_->lock);
  cancel_state_->reason.clear();
  cancelled_.store(false, std::memory_order_release);
}

void Thread::print(std::string_view line) {
  if (print_) print_(*this, line);
}

std::vector<CallFrame> Thread::frames() const { return Interpreter::frames(*this); }

Span Thread::here() const {
  for (const Frame* frame = stack_->top; frame != nullptr; frame = frame->caller) {
    if (frame->file != nullptr) return {frame->file, frame->lo, frame->hi};
  }
  return {};
}

std::uint64_t Thread::steps() const { return stack_->steps + stack_->interval - stack_->countdown; }

std::vector<CallFrame> Interpreter::frames(const Thread& thread) {
  std::vector<CallFrame> out;
  for (const Frame* frame = thread.stack_->top; frame != nullptr; frame = frame->caller) {
    CallFrame info;
    info.name = frame->name;
    info.native = frame->file == nullptr;
    if (!info.native) info.at = {frame->file, frame->lo, frame->hi};
    out.push_back(std::move(info));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

void Interpreter::slow_tick() {
  constexpr std::uint32_t kInterval = 1024;
  constexpr auto kTurn = std::chrono::milliseconds(2);
  stack_.steps += stack_.interval;
  stack_.interval = stack_.countdown = 1;  // If this throws, the next tick looks again.
  thread_.check_cancelled();
  const std::uint64_t max = thread_.limits_.steps_max;
  if (max != 0 && stack_.steps > max) {
    raise(code::kLimit, fmt::format("too many steps (more than {})", max));
  }
  const std::uint64_t left = max == 0 ? kInterval : max - stack_.steps + 1;
  stack_.interval = stack_.countdown =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kInterval));
  if (!thread_.runtime_.lock_->is_wanted()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - stack_.turn_began < kTurn) return;
  {
    const Runtime::Release others(thread_.runtime_);
  }
  stack_.turn_began = std::chrono::steady_clock::now();
}

Interrupt::Interrupt(Thread& thread, std::function<void()> wake) : thread_(thread) {
  Thread::CancelState& state = *thread.cancel_state_;
  const std::lock_guard guard(state.lock);
  if (thread.is_cancelled()) wake();
  id_ = state.next_id++;
  state.wakes.emplace(id_, std::move(wake));
}

Interrupt::~Interrupt() {
  const std::lock_guard guard(thread_.cancel_state_->lock);
  thread_.cancel_state_->wakes.erase(id_);
}

Forbid::Forbid(Thread& thread, std::uint32_t flags, std::string_view where)
    : thread_(thread), before_(thread.forbidden_), where_before_(thread.forbidden_where_) {
  thread.forbidden_ |= flags;
  thread.forbidden_where_ = where;
}

Forbid::~Forbid() {
  thread_.forbidden_ = before_;
  thread_.forbidden_where_ = where_before_;
}

Value* CallStack::push(std::size_t count) {
  if (chunks_.empty()) chunks_.push_back({std::make_unique<Value[]>(kChunk), kChunk, 0});
  Chunk* chunk = &chunks_[current_];
  if (chunk->used + count > chunk->size) {
    ++current_;
    if (current_ < chunks_.size() && chunks_[current_].size < count) chunks_.resize(current_);
    if (current_ == chunks_.size()) {
      const std::size_t size = std::max(kChunk, count);
      chunks_.push_back({std::make_unique<Value[]>(size), size, 0});
    }
    chunk = &chunks_[current_];
  }
  Value* slots = chunk->values.get() + chunk->used;
  chunk->used += count;
  for (std::size_t i = 0; i < count; ++i) slots[i] = Value::unbound();
  return slots;
}

void CallStack::pop(Value* slots, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) slots[i] = Value();
  chunks_[current_].used -= count;
  if (chunks_[current_].used == 0 && current_ > 0) --current_;
}

}  // namespace misrule::star
