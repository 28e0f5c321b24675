#include "proxy/rules/sightings.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "base/bytes.h"

namespace misrule::rules {
namespace {

std::uint64_t hash_of(Sightings::Kind kind, std::string_view operation, std::string_view subject) {
  const std::hash<std::string_view> hash;
  return hash(subject) * 31 + hash(operation) * 7 + static_cast<std::uint64_t>(kind);
}

}  // namespace

void Sightings::saw(Kind kind, std::string_view operation, std::string_view subject) {
  if (kind == Kind::kUnit) units_.fetch_add(1, std::memory_order_relaxed);
  const std::string_view kept = subject.substr(0, kKiB);
  const std::scoped_lock lock(mutex_);
  ++seen_;
  if (Entry* const entry = find_or_make(kind, operation, kept)) {
    ++entry->count;
    entry->last_seen = seen_;
  }
}

// Two texts with one hash share an entry: a near miss may then name the wrong one of them, which is
// rarer than it is worth a comparison of texts.
Sightings::Entry* Sightings::find_or_make(Kind kind, std::string_view operation,
                                          std::string_view subject) {
  const std::uint64_t hash = hash_of(kind, operation, subject);
  if (const auto known = by_hash_.find(hash); known != by_hash_.end()) {
    return &entries_[known->second];
  }
  std::size_t at = entries_.size();
  if (entries_.size() < kEntriesMax) {
    entries_.emplace_back();
  } else {
    ++unknown_;
    if (unknown_ > kFlood && unknown_ % kOneOfFlood != 0) return nullptr;
    const auto least = std::ranges::min_element(
        entries_, {}, [](const Entry& entry) { return std::tuple(entry.count, entry.last_seen); });
    at = static_cast<std::size_t>(least - entries_.begin());
    by_hash_.erase(hash_of(least->kind, least->operation, least->subject));
  }
  by_hash_.emplace(hash, at);
  entries_[at] = {
      .kind = kind, .operation = std::string(operation), .subject = std::string(subject)};
  return &entries_[at];
}

std::vector<Sightings::Entry> Sightings::entries() const {
  const std::scoped_lock lock(mutex_);
  return entries_;
}

}  // namespace misrule::rules
