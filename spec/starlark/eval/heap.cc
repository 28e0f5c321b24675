// Memory of a Runtime, and what happens when the last reference goes.

#include "spec/starlark/eval/heap.h"

#include <new>
#include <vector>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {
namespace {

thread_local Heap* heap_here = nullptr;
thread_local Thread* thread_here = nullptr;
thread_local bool destroying = false;
thread_local std::vector<const HeapValue*> doomed;

const Limits kDefaultLimits;

constexpr std::size_t kNamesMax = 1024;
constexpr std::size_t kNameBytesMax = 64;

}  // namespace

class Heap::Sentinel final : public Object {
 public:
  Sentinel() : Object(Kind::kHost) {}
  std::string_view type_name() const override { return "sentinel"; }
};

Heap::Heap(const Limits& limits) : limits_(limits) {
  Heap* before = exchange_current(nullptr);
  objects_ = new Sentinel;
  exchange_current(before);
}

Heap::~Heap() {
  Heap* before = exchange_current(this);
  names_.clear();
  drop_everything();
  exchange_current(nullptr);
  delete objects_;
  exchange_current(before == this ? nullptr : before);
}

// Cycles fall apart when every object lets go of what it holds.
void Heap::drop_everything() noexcept {
  while (objects_->next_ != objects_) {
    const Ref<Object> object(objects_->next_);
    unlink(*object);
    object->drop_children();
  }
}

Heap* Heap::current() { return heap_here; }
Heap* Heap::exchange_current(Heap* heap) { return std::exchange(heap_here, heap); }
const Limits& Heap::limits() { return heap_here != nullptr ? heap_here->limits_ : kDefaultLimits; }
Thread* current_thread() { return thread_here; }
Thread* exchange_current_thread(Thread* thread) { return std::exchange(thread_here, thread); }

void Heap::charge(std::size_t bytes) {
  if (heap_here == nullptr) return;
  reserve(bytes);
  heap_here->used_ += bytes;
}

void Heap::reserve(std::size_t bytes) {
  if (heap_here == nullptr) return;
  const std::size_t max = heap_here->limits_.heap_bytes_max;
  if (bytes <= max && heap_here->used_ <= max - bytes) return;
  raise(code::kLimit, fmt::format("memory budget of {} MiB exceeded", max >> 20));
}

void Heap::uncharge(std::size_t bytes) noexcept {
  if (heap_here == nullptr) return;
  heap_here->used_ -= bytes < heap_here->used_ ? bytes : heap_here->used_;
}

void Heap::link(Object& object) {
  if (heap_here == nullptr) return;
  Object& head = *heap_here->objects_;
  object.previous_ = head.previous_;
  object.next_ = &head;
  head.previous_->next_ = &object;
  head.previous_ = &object;
}

void Heap::unlink(Object& object) noexcept {
  object.previous_->next_ = object.next_;
  object.next_->previous_ = object.previous_;
  object.previous_ = object.next_ = &object;
}

std::uint64_t Heap::next_serial() { return heap_here != nullptr ? ++heap_here->serial_ : 0; }

Value Heap::name(std::string_view text) {
  if (heap_here == nullptr || text.size() > kNameBytesMax) return Value::string(text);
  auto& names = heap_here->names_;
  if (const auto known = names.find(text); known != names.end()) return known->second;
  Value made = Value::string(text);
  if (names.size() < kNamesMax) names.emplace(text, made);
  return made;
}

std::size_t Heap::objects() const {
  std::size_t count = 0;
  for (const Object* o = objects_->next_; o != objects_; o = o->next_) ++count;
  return count;
}

void* HeapValue::operator new(std::size_t size) {
  Heap::charge(size);
  return ::operator new(size);
}

void HeapValue::operator delete(void* memory, std::size_t size) {
  Heap::uncharge(size);
  ::operator delete(memory, size);
}

// A list of lists of lists is taken apart in a loop: its depth is the spec's choice, the stack is
// not.
void HeapValue::destroy(const HeapValue* value) noexcept {
  if (destroying) {
    doomed.push_back(value);
    return;
  }
  destroying = true;
  delete value;
  while (!doomed.empty()) {
    const HeapValue* next = doomed.back();
    doomed.pop_back();
    delete next;
  }
  destroying = false;
}

}  // namespace misrule::star
