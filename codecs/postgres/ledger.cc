#include "codecs/postgres/ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace misrule::codecs::postgres {

using Kind = Owed::Kind;

void Ledger::push(Owed&& owed) {
  if (owed.kind == Kind::kSync) skipping_ = false;
  owed.counted = sizeof(Owed) + owed.units.capacity() * sizeof(Unit);
  bytes_ += owed.counted;
  owed_.push(std::move(owed));
}

std::vector<Owed> Ledger::skip_to_sync() {
  const auto sync = std::ranges::find(owed_, Kind::kSync, &Owed::kind);
  skipping_ = sync == owed_.end();
  std::vector<Owed> skipped(std::make_move_iterator(owed_.begin()), std::make_move_iterator(sync));
  for (const Owed& owed : skipped) bytes_ -= owed.counted;
  owed_.erase(owed_.begin(), sync);
  return skipped;
}

void Ledger::copy_in_began() {
  const auto copy_end = std::ranges::find(owed_, Kind::kCopyEnd, &Owed::kind);
  copying_ = copy_end == owed_.end();
  const auto is_sync = [](const Owed& owed) { return owed.kind == Kind::kSync; };
  for (auto owed = owed_.begin(); owed != copy_end; ++owed) {
    if (is_sync(*owed)) bytes_ -= owed->counted;
  }
  const auto kept = std::remove_if(owed_.begin(), copy_end, is_sync);
  owed_.erase(kept, copy_end);
}

bool Ledger::is_transaction_end_due() const {
  const auto ends = [](const Unit& unit) {
    return unit.ends_transaction() || unit.kind == StatementKind::kRollback;
  };
  return std::ranges::any_of(
      owed_, [&ends](const Owed& owed) { return std::ranges::any_of(owed.units, ends); });
}

bool Ledger::is_ready_due() const {
  return std::ranges::any_of(owed_, [](const Owed& owed) {
    return owed.kind == Kind::kSync || owed.kind == Kind::kQuery ||
           owed.kind == Kind::kFunctionCall;
  });
}

bool Ledger::is_description_due(const NamedPtr& named) const {
  return std::ranges::any_of(owed_, [&named](const Owed& owed) {
    return owed.named == named &&
           (owed.kind == Kind::kDescribeStatement || owed.kind == Kind::kDescribePortal);
  });
}

void Ledger::copy_end_sent() {
  if (!std::exchange(copying_, false) && !owed_.empty()) push({.kind = Kind::kCopyEnd});
}

std::vector<Owed> Ledger::take_all() {
  bytes_ = 0;
  return owed_.take_all();
}

}  // namespace misrule::codecs::postgres
