#pragma once

// Events for everybody who reads them: standard output, and whoever follows over the admin API.
//
// A reader has a bounded queue. What does not fit is left out, and the reader is told how much; the
// loops never wait for anybody, and render nothing that nobody has room for.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/main/json_lines.h"
#include "spec/model/event.h"

namespace misrule::proxy {

/// One reader's queue. Ends with its last owner.
class EventReader {
 public:
  static constexpr std::size_t kWaitingMax = std::size_t{256} * 1024;

  /// The lines that wait, then a line that says how many were left out after them.
  std::string take();

 private:
  friend class EventHub;
  explicit EventReader(std::function<void()> wake) : wake_(std::move(wake)) {}
  bool has_room();
  void add(const std::string& line);

  const std::function<void()> wake_;
  std::mutex mutex_;
  std::string waiting_;
  std::uint64_t left_out_ = 0;
};

class EventHub final : public model::EventSink {
 public:
  static constexpr std::size_t kReadersMax = 16;

  explicit EventHub(int fd);

  std::uint64_t emit(model::Event event) override;

  /// `wake` is called from any thread, and must return at once, when the queue is no longer empty.
  /// Null if there are kReadersMax readers.
  std::shared_ptr<EventReader> follow(std::function<void()> wake);
  std::size_t readers() const;
  /// Left out for some reader, since the start.
  std::uint64_t left_out() const { return left_out_.load(std::memory_order_relaxed); }

 private:
  JsonLines output_;
  const std::int64_t started_ns_;
  std::atomic<bool> followed_ = false;
  std::atomic<std::uint64_t> left_out_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<EventReader>> readers_;
};

}  // namespace misrule::proxy
