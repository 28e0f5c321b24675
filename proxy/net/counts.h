#pragma once

// Numbers that one loop writes and anybody reads.

#include <atomic>
#include <cstdint>

namespace misrule::proxy {

class Count {
 public:
  /// By the one writer only: a load and a store, no locked instruction.
  void add(std::uint64_t by) { value_.store(value() + by, std::memory_order_relaxed); }
  void take(std::uint64_t by) { value_.store(value() - by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

struct ShardCounts {
  Count connections_total;
  Count connections_open;
  Count connections_opaque;
  Count messages_total;
  Count bytes_to_server;
  Count bytes_to_client;
};

}  // namespace misrule::proxy
