#pragma once

// Events as JSON lines to a descriptor.
//
// A thread of its own writes, so that a slow reader never stops traffic: what exceeds the bound is
// left out, and a line says how many.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "spec/model/event.h"

namespace misrule::proxy {

class JsonLines final : public model::EventSink {
 public:
  static constexpr std::size_t kWaitingMax = std::size_t{16} * 1024 * 1024;
  static constexpr std::chrono::seconds kFarewell{2};

  explicit JsonLines(int fd);
  /// Writes what waits, until a reader takes nothing and kFarewell is over.
  ~JsonLines() override;
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  std::uint64_t emit(model::Event event) override;

 private:
  void write_until_closed();
  void write_all(std::string_view bytes) const;
  bool may_give_up() const;

  const int fd_;
  const std::int64_t started_ns_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t emitted_ = 0;
  std::uint64_t left_out_ = 0;
  bool closed_ = false;
  std::atomic<std::int64_t> give_up_ns_ = 0;  // 0: never.
  std::thread writer_;
};

/// ["a","b"]
std::string json_list(const std::vector<std::string>& texts);

/// One line, with its newline.
std::string to_json_line(const model::Event& event);

}  // namespace misrule::proxy
