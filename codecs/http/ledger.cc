#include "codecs/http/ledger.h"

namespace misrule::codecs::http {

void Ledger::pop() {
  if (size() == 1) {
    owed_.clear();
    first_ = 0;
    return;
  }
  owed_[first_] = {};
  ++first_;
  if (first_ < 32) return;
  // Each entry is moved at most once for every one that was popped.
  if (first_ * 2 < owed_.size()) return;
  owed_.erase(owed_.begin(), owed_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

}  // namespace misrule::codecs::http
