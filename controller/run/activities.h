#pragma once

// What the test is doing right now: for the live view, and for saying what was pending at a
// deadline.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace misrule::controller {

/// Thread-safe.
class Activities {
 public:
  using OnChange = std::function<void(const std::string& what)>;
  explicit Activities(OnChange on_begin) : on_begin_(std::move(on_begin)) {}

  /// Lasts as long as the returned object.
  class Scope {
   public:
    Scope(Activities& owner, std::uint64_t id) : owner_(owner), id_(id) {}
    ~Scope() { owner_.end(id_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Activities& owner_;
    std::uint64_t id_;
  };
  Scope begin(const std::string& what) { return Scope(*this, add(what)); }

  /// "POST /payments -> api, waiting for postgres"; empty if nothing.
  std::string text() const {
    const std::scoped_lock lock(mutex_);
    std::string all;
    for (const auto& [id, what] : current_) all += (all.empty() ? "" : ", ") + what;
    return all;
  }

 private:
  std::uint64_t add(const std::string& what) {
    std::uint64_t id = 0;
    {
      const std::scoped_lock lock(mutex_);
      id = next_++;
      current_.emplace(id, what);
    }
    if (on_begin_) on_begin_(what);
    return id;
  }
  void end(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    current_.erase(id);
  }

  OnChange on_begin_;
  mutable std::mutex mutex_ = {};
  std::map<std::uint64_t, std::string> current_ = {};
  std::uint64_t next_ = 1;
};

}  // namespace misrule::controller
