#pragma once

// A coroutine that somebody owns.
//
// It starts at once, runs to its end, and its frame dies with the Task. Another coroutine may await
// it; an exception in it travels to whoever awaits.

#include <coroutine>
#include <exception>
#include <utility>

namespace misrule::proxy {

class Task {
 public:
  struct promise_type;  // NOLINT(readability-identifier-naming): the language's name
  using Handle = std::coroutine_handle<promise_type>;

  struct promise_type {
    std::coroutine_handle<> waiting = std::noop_coroutine();
    std::exception_ptr thrown = {};

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Awaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(Handle h) noexcept { return h.promise().waiting; }
        void await_resume() noexcept {}
      };
      return Awaiter{};
    }
    void return_void() {}
    void unhandled_exception() { thrown = std::current_exception(); }
  };

  Task() = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool done() const { return !handle_ || handle_.done(); }

  bool await_ready() const { return done(); }
  void await_suspend(std::coroutine_handle<> h) { handle_.promise().waiting = h; }
  void await_resume() const {
    if (handle_ && handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
  }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace misrule::proxy
