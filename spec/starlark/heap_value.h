#pragma once

// What is under every value: interned names, and counted memory.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace misrule::star {

/// An interned name: comparing is comparing pointers. Never freed; may be made from any thread.
class Symbol {
 public:
  Symbol() = default;
  explicit Symbol(std::string_view text);
  std::string_view text() const { return text_ != nullptr ? *text_ : std::string_view(); }
  explicit operator bool() const { return text_ != nullptr; }
  friend bool operator==(Symbol, Symbol) = default;
  std::size_t hash() const { return reinterpret_cast<std::uintptr_t>(text_) >> 4; }

 private:
  const std::string* text_ = nullptr;
};

enum class Kind : std::uint8_t {
  kNone,
  kBool,
  kInt,
  kUnbound,  // In the word (kInt also as kBigInt).
  kFloat,
  kBigInt,
  kString,
  kBytes,  // Plain memory.
  kList,
  kTuple,
  kDict,
  kSet,
  kRange,  // Containers.
  kFunction,
  kNative,
  kBoundMethod,  // Callables.
  kStruct,
  kModule,
  kStringView,
  kCell,
  kCode,  // The rest of ours.
  kHost,  // Objects of the host.
};

/// Header of everything that is counted.
class HeapValue {
 public:
  HeapValue(const HeapValue&) = delete;
  HeapValue& operator=(const HeapValue&) = delete;
  Kind kind() const { return kind_; }
  void retain() const { ++references_; }
  void release() const {
    if (--references_ == 0) destroy(this);
  }
  std::uint32_t references() const { return references_; }

  /// Memory is charged to the Runtime that is entered.
  static void* operator new(std::size_t size);
  static void operator delete(void* memory, std::size_t size);

 protected:
  explicit HeapValue(Kind kind) : kind_(kind) {}
  virtual ~HeapValue() = default;

 private:
  static void destroy(const HeapValue* value) noexcept;

  mutable std::uint32_t references_ = 0;
  const Kind kind_;

 protected:
  bool frozen_ = false;
  bool reserved_ = false;
};

/// Counted pointer to a HeapValue of known type.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(T* pointer) : pointer_(pointer) {
    if (pointer_ != nullptr) pointer_->retain();
  }
  Ref(const Ref& other) : Ref(other.pointer_) {}
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Ref() {
    if (pointer_ != nullptr) pointer_->release();
  }
  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }

 private:
  T* pointer_ = nullptr;
};

/// make<Response>(...): a new object, counted.
template <class T, class... Arguments>
Ref<T> make(Arguments&&... arguments) {
  return Ref<T>(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace misrule::star
