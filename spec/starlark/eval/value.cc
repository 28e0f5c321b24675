// What every value can be asked.

#include "spec/starlark/value.h"

#include <deque>
#include <mutex>
#include <unordered_map>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/compare.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/function.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {

Symbol::Symbol(std::string_view text) {
  // Never freed: symbols of static tables outlive everything.
  static std::mutex* const lock = new std::mutex;
  static auto* const texts = new std::deque<std::string>;
  static auto* const index = new std::unordered_map<std::string_view, const std::string*>;
  const std::lock_guard guard(*lock);
  if (const auto found = index->find(text); found != index->end()) {
    text_ = found->second;
    return;
  }
  text_ = &texts->emplace_back(text);
  index->emplace(*text_, text_);
}

Value Value::of(HeapValue* value) {
  Value out;
  if (value == nullptr) return out;
  value->retain();
  out.word_ = reinterpret_cast<std::uintptr_t>(value);
  return out;
}

Value Value::real(double number) { return Value::of(new Float(number)); }
Value Value::string(std::string_view utf8) { return make_string(std::string(utf8)); }
Value Value::name(std::string_view utf8) { return Heap::name(utf8); }
Value Value::bytes(std::string_view bytes) { return make_bytes(std::string(bytes)); }
Value Value::list(std::vector<Value> items) { return Value::of(new List(std::move(items))); }
Value Value::tuple(std::vector<Value> items) { return Value::of(new Tuple(std::move(items))); }
Value Value::dict() { return Value::of(new Dict); }

Kind Value::kind() const {
  if (is_small_int()) return Kind::kInt;
  if (is_heap()) return heap()->kind() == Kind::kBigInt ? Kind::kInt : heap()->kind();
  if (is_none()) return Kind::kNone;
  return is_unbound() ? Kind::kUnbound : Kind::kBool;
}

std::optional<bool> Value::as_bool() const {
  if (word_ == kTrueWord) return true;
  if (word_ == kFalseWord) return false;
  return std::nullopt;
}

std::optional<double> Value::as_float() const {
  if (kind() != Kind::kFloat) return std::nullopt;
  return float_of(*this);
}

std::optional<double> Value::as_number() const {
  if (kind() == Kind::kInt) return int_to_double(*this);
  return as_float();
}

std::optional<std::string_view> Value::as_string() const {
  if (kind() != Kind::kString) return std::nullopt;
  return string_of(*this).text();
}

std::optional<std::string_view> Value::as_bytes() const {
  if (kind() != Kind::kBytes) return std::nullopt;
  return string_of(*this).text();
}

Object* Value::as_object() const {
  if (!is_heap() || heap()->kind() < Kind::kList) return nullptr;
  return static_cast<Object*>(heap());
}

List* Value::as_list() const {
  return kind() == Kind::kList ? static_cast<List*>(as_object()) : nullptr;
}
Tuple* Value::as_tuple() const {
  return kind() == Kind::kTuple ? static_cast<Tuple*>(as_object()) : nullptr;
}
Dict* Value::as_dict() const {
  return kind() == Kind::kDict ? static_cast<Dict*>(as_object()) : nullptr;
}
Set* Value::as_set() const {
  return kind() == Kind::kSet ? static_cast<Set*>(as_object()) : nullptr;
}
Function* Value::as_function() const {
  return kind() == Kind::kFunction ? static_cast<Function*>(as_object()) : nullptr;
}

bool Value::is_callable() const {
  const Object* object = as_object();
  return object != nullptr && object->is_callable();
}

std::string_view Value::type_name() const {
  switch (kind()) {
    case Kind::kNone:
    case Kind::kUnbound:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "string";
    case Kind::kBytes:
      return "bytes";
    default:
      return as_object()->type_name();
  }
}

bool Value::truth() const {
  switch (kind()) {
    case Kind::kNone:
    case Kind::kUnbound:
      return false;
    case Kind::kBool:
      return word_ == kTrueWord;
    case Kind::kInt:
      return !int_is_zero(*this);
    case Kind::kFloat:
      return float_of(*this) != 0;
    case Kind::kString:
    case Kind::kBytes:
      return !string_of(*this).text().empty();
    default:
      return as_object()->truth();
  }
}

std::string Value::repr() const {
  Writer out;
  out.repr(*this);
  return out.take();
}

std::string Value::text() const {
  Writer out;
  out.plain(*this);
  return out.take();
}

bool Value::equals(const Value& other) const { return values_equal(*this, other); }

std::uint64_t Value::hash() const {
  switch (kind()) {
    case Kind::kNone:
    case Kind::kUnbound:
    case Kind::kBool:
      return word_ * 0x9E3779B97F4A7C15U;
    case Kind::kInt:
      return int_hash(*this);
    case Kind::kFloat:
      return hash_float(float_of(*this));
    case Kind::kString:
    case Kind::kBytes:
      return string_of(*this).hash();
    default:
      return as_object()->hash();
  }
}

std::vector<Value> Value::elements() const {
  std::vector<Value> out;
  Iteration iteration(*this);
  constexpr std::size_t kAccountedEvery = 4096;
  for (Value item; iteration.next(item);) {
    if (out.size() % kAccountedEvery == 0) Heap::reserve((out.size() + kAccountedEvery) * 8);
    out.push_back(std::move(item));
  }
  return out;
}

namespace {

class Freezer final : public ValueVisitor {
 public:
  void visit(const Value& child) override {
    Object* object = child.as_object();
    if (object == nullptr || object->is_frozen()) return;
    object->mark_frozen();
    object->on_freeze();
    open_.push_back(object);
  }
  void drain() {
    while (!open_.empty()) {
      const Object* object = open_.back();
      open_.pop_back();
      object->visit_children(*this);
    }
  }

 private:
  std::vector<Object*> open_;
};

}  // namespace

void Value::freeze() const {
  Freezer freezer;
  freezer.visit(*this);
  freezer.drain();
}

}  // namespace misrule::star
