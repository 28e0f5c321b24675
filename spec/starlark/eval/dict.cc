// Dicts and sets.

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/members.h"

namespace misrule::star {

namespace {

void visit_table(const Table& table, ValueVisitor& visitor) {
  std::size_t cursor = 0;
  while (const Table::Entry* entry = table.next(cursor)) {
    visitor.visit(entry->key);
    visitor.visit(entry->value);
  }
}

void check(bool frozen, std::uint32_t iterations, std::string_view verb, std::string_view what) {
  if (frozen) raise(code::kFrozen, fmt::format("cannot {} frozen {}", verb, what));
  if (iterations > 0) {
    raise(code::kFrozen, fmt::format("cannot {} {} during iteration", verb, what));
  }
}

bool is_hashable(const Value& value) {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kDict:
    case Kind::kSet:
    case Kind::kRange:
      return false;
    case Kind::kTuple:
      for (const Value& item : value.as_tuple()->items()) {
        if (!is_hashable(item)) return false;
      }
      return true;
    default:
      return true;
  }
}

}  // namespace

void Dict::check_mutable(std::string_view verb) const {
  check(frozen_, iterations_, verb, "hash table");
}

void Dict::set(const Value& key, Value value) {
  check_mutable("insert into");
  table_.set(key, std::move(value));
}

void Dict::write_repr(Writer& out) const {
  out.text("{");
  std::string_view separator;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = table_.next(cursor)) {
    out.text(separator);
    out.repr(entry->key);
    out.text(": ");
    out.repr(entry->value);
    separator = ", ";
  }
  out.text("}");
}

std::uint64_t Dict::hash() const { raise(code::kType, "unhashable type: dict"); }
const MemberTable* Dict::members() const { return &dict_members(); }
std::optional<bool> Dict::contains(const Value& needle) const {
  return is_hashable(needle) && table_.find(needle) != nullptr;
}
std::unique_ptr<Iterator> Dict::iterate() { return iterate_container(this); }
std::optional<std::int64_t> Dict::length() const {
  return static_cast<std::int64_t>(table_.size());
}

std::optional<Value> Dict::item(const Value& key) {
  const Value* found = table_.find(key);
  if (found != nullptr) return *found;
  raise(code::kValue, fmt::format("key {} not in dict", key.repr()));
}

void Dict::set_item(const Value& key, Value value) { set(key, std::move(value)); }

std::optional<std::vector<std::pair<Value, Value>>> Dict::mapping_items() const {
  std::vector<std::pair<Value, Value>> out;
  out.reserve(table_.size());
  std::size_t cursor = 0;
  while (const Table::Entry* entry = table_.next(cursor))
    out.emplace_back(entry->key, entry->value);
  return out;
}

void Dict::visit_children(ValueVisitor& visitor) const { visit_table(table_, visitor); }

void Set::check_mutable(std::string_view verb) const {
  check(frozen_, iterations_, verb, "hash table");
}

void Set::write_repr(Writer& out) const {
  out.text("set([");
  std::string_view separator;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = table_.next(cursor)) {
    out.text(separator);
    out.repr(entry->key);
    separator = ", ";
  }
  out.text("])");
}

std::uint64_t Set::hash() const { raise(code::kType, "unhashable type: set"); }
const MemberTable* Set::members() const { return &set_members(); }
std::optional<bool> Set::contains(const Value& needle) const {
  return table_.find(needle) != nullptr;
}
std::unique_ptr<Iterator> Set::iterate() { return iterate_container(this); }
std::optional<std::int64_t> Set::length() const { return static_cast<std::int64_t>(size()); }
void Set::visit_children(ValueVisitor& visitor) const { visit_table(table_, visitor); }

}  // namespace misrule::star
