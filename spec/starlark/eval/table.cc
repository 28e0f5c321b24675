// The hash table under dicts and sets: entries in order of insertion, and an index of them once
// there are many.

#include <algorithm>

#include "spec/starlark/containers.h"
#include "spec/starlark/eval/compare.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/strings.h"

namespace misrule::star {
namespace {

constexpr std::size_t kAbsent = ~std::size_t{0};

}  // namespace

Table::~Table() { Heap::uncharge(charged_); }

std::size_t Table::locate(std::uint64_t hash, const Value& key) const {
  const auto matches = [&](const Entry& entry) {
    return entry.hash == hash && !entry.key.is_unbound() && values_equal(entry.key, key);
  };
  if (buckets_.empty()) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (matches(entries_[i])) return i;
    }
    return kAbsent;
  }
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t at = hash & mask; buckets_[at] != 0; at = (at + 1) & mask) {
    if (matches(entries_[buckets_[at] - 1])) return buckets_[at] - 1;
  }
  return kAbsent;
}

const Value* Table::find(const Value& key) const {
  const std::uint64_t hash = key.hash();
  const std::size_t at = locate(hash, key);
  return at == kAbsent ? nullptr : &entries_[at].value;
}

const Value* Table::find(std::string_view key) const {
  const std::uint64_t hash = hash_text(key);
  const auto matches = [&](const Entry& entry) {
    return entry.hash == hash && entry.key.kind() == Kind::kString &&
           string_of(entry.key).text() == key;
  };
  if (buckets_.empty()) {
    for (const Entry& entry : entries_) {
      if (matches(entry)) return &entry.value;
    }
    return nullptr;
  }
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t at = hash & mask; buckets_[at] != 0; at = (at + 1) & mask) {
    const Entry& entry = entries_[buckets_[at] - 1];
    if (matches(entry)) return &entry.value;
  }
  return nullptr;
}

void Table::index_entry(std::size_t position) {
  const std::size_t mask = buckets_.size() - 1;
  std::size_t at = entries_[position].hash & mask;
  while (buckets_[at] != 0) at = (at + 1) & mask;
  buckets_[at] = static_cast<std::uint32_t>(position + 1);
}

void Table::rebuild(std::size_t buckets) {
  const std::size_t bytes = buckets * (sizeof(std::uint32_t) + sizeof(Entry) * 2 / 3);
  if (bytes > charged_) {
    Heap::charge(bytes - charged_);
    charged_ = bytes;
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.key.is_unbound(); });
  buckets_.assign(buckets, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) index_entry(i);
}

void Table::set(const Value& key, Value value) {
  const std::uint64_t hash = key.hash();
  const std::size_t at = locate(hash, key);
  if (at != kAbsent) {
    entries_[at].value = std::move(value);
    return;
  }
  if (charged_ == 0) {
    charged_ = kLinearMax * sizeof(Entry);
    Heap::charge(charged_);
    entries_.reserve(kLinearMax);
  }
  const bool linear = buckets_.empty();
  const std::size_t capacity = linear ? kLinearMax : buckets_.size() * 2 / 3;
  if (entries_.size() >= capacity) {
    std::size_t buckets = 16;
    while (buckets * 2 / 3 <= live_ * 3 / 2) buckets *= 2;
    rebuild(buckets);
  }
  entries_.push_back({.hash = hash, .key = key, .value = std::move(value)});
  ++live_;
  if (!buckets_.empty()) index_entry(entries_.size() - 1);
}

std::optional<Value> Table::erase(const Value& key) {
  const std::size_t at = locate(key.hash(), key);
  if (at == kAbsent) return std::nullopt;
  Entry& entry = entries_[at];
  Value value = std::move(entry.value);
  entry.key = Value::unbound();
  entry.value = Value();
  --live_;
  if (live_ == 0) {
    entries_.clear();
    buckets_.assign(buckets_.size(), 0);
  }
  return value;
}

void Table::clear() {
  const std::vector<Entry> dropped = std::exchange(entries_, {});
  buckets_.clear();
  live_ = 0;
  Heap::uncharge(std::exchange(charged_, 0));
}

const Table::Entry* Table::next(std::size_t& cursor) const {
  while (cursor < entries_.size()) {
    const Entry& entry = entries_[cursor++];
    if (!entry.key.is_unbound()) return &entry;
  }
  return nullptr;
}

}  // namespace misrule::star
