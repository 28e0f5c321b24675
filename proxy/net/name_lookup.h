#pragma once

// Which address has a host's name? Asked on loops, which must not wait for a name server: what is
// not known soon is not known, and perhaps is when it is asked for again.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <pthread.h>

#include "base/clock.h"

namespace misrule::proxy {

/// Thread-safe.
class NameLookup {
 public:
  /// Blocks as long as it takes; nothing: there is no such name.
  using Resolver = std::function<std::optional<std::string>(const std::string& name)>;
  /// Names beyond this are not looked up.
  static constexpr std::size_t kNamesMax = 256;

  NameLookup();
  NameLookup(Resolver resolver, Duration wait, Duration fresh);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// "10.0.0.1" or "::1". Waits for at most `wait` where nothing is known yet; what is no longer
  /// fresh is given all the same, and asked for anew.
  std::optional<std::string> find(const std::string& name);

 private:
  struct State;
  bool start();
  static void* run(void* state);

  // Shared with the thread, which a name server may keep for longer than this lives.
  std::shared_ptr<State> state_;
  pthread_t thread_ = {};
  bool runs_ = false;
};

}  // namespace misrule::proxy
