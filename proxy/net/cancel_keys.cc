#include "proxy/net/cancel_keys.h"

#include "proxy/net/shard.h"

namespace misrule::proxy {

void CancelKeys::add(std::string_view key, Holder holder) {
  const std::lock_guard lock(mutex_);
  holders_.insert_or_assign(std::string(key), holder);
}

void CancelKeys::remove(std::string_view key) {
  const std::lock_guard lock(mutex_);
  holders_.erase(std::string(key));
}

void CancelKeys::set_held(std::string_view key, bool held) {
  const std::lock_guard lock(mutex_);
  if (const auto it = holders_.find(std::string(key)); it != holders_.end()) it->second.held = held;
}

bool CancelKeys::cancel(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto it = holders_.find(std::string(key));
  if (it == holders_.end() || !it->second.held) return false;
  it->second.held = false;
  it->second.shard->cancel_held(it->second.connection);
  return true;
}

}  // namespace misrule::proxy
