#include "codecs/redis/ledger.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace misrule::codecs::redis {
namespace {

bool continues(const Owed& run, const Owed& next) {
  return run.is_ordinary() && next.is_ordinary() && run.queued == next.queued &&
         run.unit + run.units == next.unit;
}

}  // namespace

bool Owed::wants_whole() const {
  if (kind == CommandKind::kAddresses || fate() == Touched::Fate::kTruncate) return true;
  return fate() == Touched::Fate::kRewrite &&
         std::holds_alternative<ValueMap>(touched->plan->value.held) &&
         touched->shape == ReplyShape::kPage;
}

void Ledger::push(Owed&& owed) {
  units_ += owed.units;
  if (!empty() && continues(owed_.back(), owed)) {
    owed_.back().units += owed.units;
  } else {
    owed_.push(std::move(owed));
  }
}

Owed Ledger::take_unit() {
  --units_;
  Owed& run = front();
  if (run.units > 1) {
    --run.units;
    return {.kind = run.kind, .queued = run.queued, .unit = run.unit++};
  }
  return owed_.take();
}

void Ledger::drop_units(std::uint64_t count) {
  units_ -= count;
  Owed& run = front();
  run.units -= count;
  run.unit += count;
  if (run.units == 0) owed_.pop();
}

bool Ledger::any(bool (*wanted)(const Owed& owed)) const {
  return std::ranges::any_of(owed_, wanted);
}

}  // namespace misrule::codecs::redis
