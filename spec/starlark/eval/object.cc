// What an object does unless its type says otherwise, and attributes of every value.

#include "spec/starlark/object.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/call_access.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/function.h"

namespace misrule::star {

Object::Object(Kind kind)
    : HeapValue(kind), serial_(Heap::next_serial()), previous_(this), next_(this) {
  Heap::link(*this);
}

Object::~Object() { Heap::unlink(*this); }

void Object::write_repr(Writer& out) const { out.text(fmt::format("<{}>", type_name())); }
void Object::write_text(Writer& out) const { write_repr(out); }

std::uint64_t Object::hash() const {
  raise(code::kType, fmt::format("unhashable: {}", type_name()));
}
std::uint64_t Object::identity_hash() const { return serial_ * 0x9E3779B97F4A7C15U; }

std::optional<bool> Object::equals(const Value&) const { return std::nullopt; }
std::optional<int> Object::compare(const Value&) const { return std::nullopt; }
std::optional<Value> Object::binary(BinaryOp, const Value&, bool) { return std::nullopt; }
std::optional<bool> Object::contains(const Value&) const { return std::nullopt; }
std::optional<Value> Object::unwrapped() const { return std::nullopt; }
std::optional<Value> Object::dynamic_attribute(Symbol) { return std::nullopt; }
void Object::list_dynamic_attributes(std::vector<Symbol>&) const {}

void Object::set_attribute(Symbol name, Value) {
  raise(code::kType, fmt::format("can't assign to .{} field of {}", name.text(), type_name()));
}

void Object::raise_no_attribute(Symbol name) const {
  std::vector<Symbol> names;
  if (members() != nullptr) {
    for (const Member& member : members()->all()) names.push_back(member.symbol);
  }
  list_dynamic_attributes(names);
  std::vector<std::string_view> texts;
  for (const Symbol symbol : names) texts.push_back(symbol.text());
  std::sort(texts.begin(), texts.end());
  const std::string_view near = nearest(name.text(), texts);
  raise(code::kName, fmt::format("{} has no .{} field or method{}", type_name(), name.text(),
                                 near.empty() ? "" : fmt::format(" (did you mean .{}?)", near)));
}

Value Object::call(Args&) {
  raise(code::kType, fmt::format("invalid call of non-function ({})", type_name()));
}

std::unique_ptr<Iterator> Object::iterate() { return nullptr; }
std::optional<std::int64_t> Object::length() const { return std::nullopt; }
std::optional<Value> Object::item(const Value&) { return std::nullopt; }

void Object::set_item(const Value&, Value) {
  raise(code::kType, fmt::format("{} value does not support item assignment", type_name()));
}

std::optional<std::vector<std::pair<Value, Value>>> Object::mapping_items() const {
  return std::nullopt;
}
void Object::visit_children(ValueVisitor&) const {}
void Object::drop_children() {}

MemberTable::MemberTable(std::initializer_list<Member> members) : members_(members) {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.name < b.name; });
  std::size_t size = 4;
  while (size < members_.size() * 2) size *= 2;
  buckets_.assign(size, 0);
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    members_[i].symbol = Symbol(members_[i].name);
    std::size_t at = members_[i].symbol.hash() & (size - 1);
    while (buckets_[at] != 0) at = (at + 1) & (size - 1);
    buckets_[at] = i + 1;
  }
}

const Member* MemberTable::find(Symbol name) const {
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t at = name.hash() & mask; buckets_[at] != 0; at = (at + 1) & mask) {
    const Member& member = members_[buckets_[at] - 1];
    if (member.symbol == name) return &member;
  }
  return nullptr;
}

const MemberTable* members_of(const Value& value) {
  if (const Object* object = value.as_object()) return object->members();
  if (value.kind() == Kind::kString) return &string_members();
  if (value.kind() == Kind::kBytes) return &bytes_members();
  return nullptr;
}

std::optional<Value> Value::attribute(Symbol name) const {
  const MemberTable* members = members_of(*this);
  const Member* member = members != nullptr ? members->find(name) : nullptr;
  if (member != nullptr && member->is_property) {
    Args args = ArgsAccess::of_member(*this, *member);
    return member->fn(args);
  }
  if (member != nullptr) return Value::of(new BoundMethod(*this, *member));
  Object* object = as_object();
  return object != nullptr ? object->dynamic_attribute(name) : std::nullopt;
}

std::vector<Symbol> attribute_names(const Value& value) {
  std::vector<Symbol> names;
  if (const MemberTable* members = members_of(value)) {
    for (const Member& member : members->all()) names.push_back(member.symbol);
  }
  if (const Object* object = value.as_object()) object->list_dynamic_attributes(names);
  std::sort(names.begin(), names.end(), [](Symbol a, Symbol b) { return a.text() < b.text(); });
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void raise_no_attribute(const Value& value, Symbol name) {
  if (const Object* object = value.as_object()) object->raise_no_attribute(name);
  std::vector<std::string_view> texts;
  for (const Symbol symbol : attribute_names(value)) texts.push_back(symbol.text());
  const std::string_view near = nearest(name.text(), texts);
  raise(code::kName, fmt::format("{} has no .{} field or method{}", value.type_name(), name.text(),
                                 near.empty() ? "" : fmt::format(" (did you mean .{}?)", near)));
}

Value require_attribute(const Value& value, Symbol name) {
  std::optional<Value> found = value.attribute(name);
  if (!found) raise_no_attribute(value, name);
  return std::move(*found);
}

}  // namespace misrule::star
