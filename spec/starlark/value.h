#pragma once

// A Starlark value: eight bytes, copied freely.
//
// Small integers, None, True and False live in the word; everything else is counted memory.
// Counting is not atomic: values are touched only by the OS thread that holds their Runtime's lock
// (Runtime::Enter), or while the process has one thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/starlark/heap_value.h"

namespace misrule::star {

class Object;
class List;
class Tuple;
class Dict;
class Set;
class Function;

class [[clang::trivial_abi]] Value {
 public:
  Value() = default;  ///< None.
  Value(const Value& other) : word_(other.word_) {
    if (is_heap()) heap()->retain();
  }
  Value(Value&& other) noexcept : word_(std::exchange(other.word_, kNoneWord)) {}
  Value& operator=(const Value& other) {
    Value copy(other);
    std::swap(word_, copy.word_);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value taken(std::move(other));
    std::swap(word_, taken.word_);
    return *this;
  }
  ~Value() {
    if (is_heap()) heap()->release();
  }

  static Value none() { return {}; }
  static Value boolean(bool truth) { return from_word(truth ? kTrueWord : kFalseWord); }
  static Value integer(std::int64_t number);
  static Value real(double number);
  static Value string(std::string_view utf8);
  /// For what a host says over and over, like the names of fields: made once where it can be.
  static Value name(std::string_view utf8);
  static Value bytes(std::string_view bytes);
  static Value list(std::vector<Value> items = {});
  static Value tuple(std::vector<Value> items = {});
  static Value dict();
  template <class T>
  static Value object(const Ref<T>& reference) {
    return of(reference.get());
  }
  static Value of(HeapValue* value);
  static Value unbound() {
    return from_word(kUnboundWord);
  }  ///< Never seen by a spec: "not given".

  bool is_none() const { return word_ == kNoneWord; }
  bool is_unbound() const { return word_ == kUnboundWord; }
  bool is_small_int() const { return (word_ & 1U) != 0; }
  bool is_heap() const { return (word_ & 3U) == 0; }
  std::int64_t small_int() const { return static_cast<std::int64_t>(word_) >> 1; }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the word is a pointer, with tags where it is none.
  HeapValue* heap() const { return reinterpret_cast<HeapValue*>(word_); }
  Kind kind() const;

  std::optional<bool> as_bool() const;
  std::optional<std::int64_t> as_int() const;         ///< An int that fits.
  std::optional<double> as_float() const;             ///< A float; an int is none.
  std::optional<double> as_number() const;            ///< A float or an int.
  std::optional<std::string_view> as_string() const;  ///< Lives as long as the value.
  std::optional<std::string_view> as_bytes() const;
  List* as_list() const;  ///< Null if it is none; so are the following.
  Tuple* as_tuple() const;
  Dict* as_dict() const;
  Set* as_set() const;
  Function* as_function() const;  ///< A def or lambda of a spec.
  Object* as_object() const;      ///< Every heap value but string, bytes, float, big int.
  /// A host type (or null): value.as<Response>().
  template <class T>
  T* as() const {
    return dynamic_cast<T*>(as_object());
  }

  bool is_callable() const;
  std::string_view type_name() const;
  bool truth() const;
  std::string repr() const;  ///< Strings quoted; bounded, see Limits::repr_bytes_max.
  std::string text() const;  ///< As str() and print() show it.
  /// Starlark's ==; raises on cycles.
  bool equals(const Value& other) const;
  /// Starlark's hash; raises if unhashable.
  std::uint64_t hash() const;
  /// x.name, also methods; nothing if there is none.
  std::optional<Value> attribute(Symbol name) const;
  /// What iteration gives; raises if not iterable.
  std::vector<Value> elements() const;
  /// Deep, like the globals of a module after it ran.
  void freeze() const;
  /// Same object or same small value.
  bool same_as(const Value& other) const { return word_ == other.word_; }

 private:
  static constexpr std::uint64_t kNoneWord = 2;
  static constexpr std::uint64_t kFalseWord = 10;
  static constexpr std::uint64_t kTrueWord = 18;
  static constexpr std::uint64_t kUnboundWord = 26;

  static Value from_word(std::uint64_t word) {
    Value v;
    v.word_ = word;
    return v;
  }

  std::uint64_t word_ = kNoneWord;
};

static_assert(sizeof(Value) == 8);

}  // namespace misrule::star
