// Lists and tuples.

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/members.h"

namespace misrule::star {
namespace {

/// Walks any container through Iteration, for callers that want an Iterator.
class ContainerIterator final : public Iterator {
 public:
  explicit ContainerIterator(Object* container) : iteration_(Value::of(container)) {}
  std::optional<Value> next() override {
    Value out;
    if (!iteration_.next(out)) return std::nullopt;
    return out;
  }

 private:
  Iteration iteration_;
};

}  // namespace

std::unique_ptr<Iterator> iterate_container(Object* container) {
  return std::make_unique<ContainerIterator>(container);
}

List::List(std::vector<Value> items) : Object(Kind::kList), items_(std::move(items)) { account(); }

List::~List() { Heap::uncharge(charged_); }

void List::account() {
  const std::size_t bytes = items_.capacity() * sizeof(Value);
  if (bytes > charged_) {
    Heap::charge(bytes - charged_);
  } else {
    Heap::uncharge(charged_ - bytes);
  }
  charged_ = bytes;
}

void List::check_mutable(std::string_view verb) const {
  if (frozen_) raise(code::kFrozen, fmt::format("cannot {} frozen list", verb));
  if (iterations_ > 0) {
    raise(code::kFrozen, fmt::format("cannot {} list during iteration", verb));
  }
}

void List::append(Value item) {
  check_mutable("append to");
  items_.push_back(std::move(item));
  if (items_.capacity() * sizeof(Value) != charged_) account();
}

void List::write_repr(Writer& out) const {
  out.text("[");
  std::string_view separator;
  for (const Value& item : items_) {
    out.text(separator);
    out.repr(item);
    separator = ", ";
  }
  out.text("]");
}

std::uint64_t List::hash() const { raise(code::kType, "unhashable type: list"); }
const MemberTable* List::members() const { return &list_members(); }
std::unique_ptr<Iterator> List::iterate() { return iterate_container(this); }
std::optional<std::int64_t> List::length() const {
  return static_cast<std::int64_t>(items_.size());
}
std::optional<Value> List::item(const Value& key) {
  return items_[element_index("list", key, items_.size())];
}

void List::set_item(const Value& key, Value value) {
  check_mutable("assign to element of");
  items_[element_index("list", key, items_.size())] = std::move(value);
}

void List::visit_children(ValueVisitor& visitor) const {
  for (const Value& item : items_) visitor.visit(item);
}

void List::drop_children() {
  const std::vector<Value> dropped = std::exchange(items_, {});
  Heap::uncharge(std::exchange(charged_, 0));
}

Tuple::Tuple(std::vector<Value> items) : Object(Kind::kTuple), items_(std::move(items)) {
  Heap::charge(items_.size() * sizeof(Value));
}

Tuple::~Tuple() { Heap::uncharge(items_.size() * sizeof(Value)); }

void Tuple::write_repr(Writer& out) const {
  out.text("(");
  std::string_view separator;
  for (const Value& item : items_) {
    out.text(separator);
    out.repr(item);
    separator = ", ";
  }
  out.text(items_.size() == 1 ? ",)" : ")");
}

std::uint64_t Tuple::hash() const {
  constexpr unsigned kDepthMax = 400;
  thread_local unsigned depth = 0;
  if (depth >= kDepthMax) raise(code::kLimit, "hash exceeded maximum recursion depth");
  struct Level {
    Level() { ++depth; }
    ~Level() { --depth; }
  };
  const Level level;
  std::uint64_t out = 0x345678;
  for (const Value& item : items_) out = (out ^ item.hash()) * 0x9E3779B97F4A7C15U + 0x1F;
  return out;
}

std::unique_ptr<Iterator> Tuple::iterate() { return iterate_container(this); }
std::optional<std::int64_t> Tuple::length() const {
  return static_cast<std::int64_t>(items_.size());
}
std::optional<Value> Tuple::item(const Value& key) {
  return items_[element_index("tuple", key, items_.size())];
}
void Tuple::visit_children(ValueVisitor& visitor) const {
  for (const Value& item : items_) visitor.visit(item);
}
void Tuple::drop_children() {
  const std::vector<Value> dropped = std::exchange(items_, {});
  Heap::uncharge(dropped.size() * sizeof(Value));
}

}  // namespace misrule::star
