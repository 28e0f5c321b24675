#pragma once

// Which connection does a cancel key belong to, and is something held there? Shared by all loops.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace misrule::proxy {

class Shard;

class CancelKeys {
 public:
  struct Holder {
    Shard* shard = nullptr;
    std::uint64_t connection = 0;
    bool held = false;
  };

  void add(std::string_view key, Holder holder);
  void remove(std::string_view key);
  void set_held(std::string_view key, bool held);
  /// Lets the connection with that key go on, in its own loop; false if nothing is held there.
  bool cancel(std::string_view key);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Holder> holders_;
};

}  // namespace misrule::proxy
