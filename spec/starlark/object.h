#pragma once

// What a host object can be to a spec: attributes, methods, items, operators, calls.
//
// Derive from HostObject, override what the type can do, make it with make<T>(...) and hand it over
// as Value::object(ref). Every default says what the language says of a type that cannot.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/value.h"

namespace misrule::star {

class Args;

/// Collects text with a bound and notices cycles.
class Writer {
 public:
  explicit Writer(std::size_t bytes_max);
  Writer();                          ///< With the bound of the Runtime that is entered.
  void text(std::string_view text);  ///< Raises SPEC_LIMIT beyond the bound.
  void repr(const Value& value);     ///< As repr() shows it; "..." where it is being shown already.
  void plain(const Value& value);    ///< As str() shows it.
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  std::size_t bytes_max_;
  std::vector<const Object*> path_;
};

/// Values one by one. The object stays locked against change while it lives.
class Iterator {
 public:
  virtual ~Iterator() = default;
  /// Nothing at the end.
  virtual std::optional<Value> next() = 0;
};

class ValueVisitor {
 public:
  virtual ~ValueVisitor() = default;
  virtual void visit(const Value& child) = 0;
};

enum class BinaryOp : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kBitAnd,
  kBitOr,
  kBitXor,
  kShiftLeft,
  kShiftRight,
};
/// "+", "//" ...
std::string_view symbol_of(BinaryOp op);

using NativePointer = Value (*)(Args&);

/// What a native function does; Thread::forbid() refuses calls by these.
enum FnFlags : std::uint32_t {
  kPure = 0,
  kBlocking = 1,   ///< May wait with the lock released.
  kLoadOnly = 2,   ///< Declares something: only while a spec is loaded.
  kTestOnly = 4,   ///< Acts on the world: only in a test.
  kRegisters = 8,  ///< Changes the host's registry.
};

/// One method or computed attribute of a type. In both, Args::self() is the object.
struct Member {
  std::string_view name;
  NativePointer fn = nullptr;
  bool is_property = false;  ///< Called at once, without arguments: x.name.
  std::uint32_t flags = kPure;
  std::string_view doc = {};
  Symbol symbol = {};  ///< Set by MemberTable.
};

/// The static members of a type: static const MemberTable kMembers{{...}, ...};
class MemberTable {
 public:
  MemberTable(std::initializer_list<Member> members);
  const Member* find(Symbol name) const;
  const std::vector<Member>& all() const { return members_; }

 private:
  std::vector<Member> members_;
  std::vector<std::uint32_t> buckets_;
};

class Object : public HeapValue {
 public:
  ~Object() override;

  virtual std::string_view type_name() const = 0;
  virtual void write_repr(Writer& out) const;  ///< Default: <type_name>
  virtual void write_text(Writer& out) const;  ///< What str() gives; default: write_repr.
  virtual bool truth() const { return true; }
  virtual std::uint64_t hash() const;  ///< Default raises "unhashable: T". See identity_hash().

  /// == with any value on either side; nothing: not equal unless identical.
  virtual std::optional<bool> equals(const Value& other) const;
  /// Negative, 0, positive; with any value on either side; nothing: "T < U not implemented".
  virtual std::optional<int> compare(const Value& other) const;
  /// self op other, or other op self if self is not the left one.
  virtual std::optional<Value> binary(BinaryOp op, const Value& other, bool self_is_left);
  /// needle in self; nothing: by iterating, if it can be.
  virtual std::optional<bool> contains(const Value& needle) const;
  /// The plain value that it stands for where one is needed: int(x), float(x), json, "%d", a
  /// native's string parameter. Nothing: itself.
  virtual std::optional<Value> unwrapped() const;

  virtual const MemberTable* members() const { return nullptr; }
  /// What is no static member: fields by name.
  virtual std::optional<Value> dynamic_attribute(Symbol name);
  virtual void list_dynamic_attributes(std::vector<Symbol>& out) const;
  virtual void set_attribute(Symbol name, Value value);  ///< Default raises.
  /// Says what is wrong with x.name; default: "T has no .name field or method (did you mean ...)".
  [[noreturn]] virtual void raise_no_attribute(Symbol name) const;

  virtual bool is_callable() const { return false; }
  virtual Value call(Args& args);

  virtual std::unique_ptr<Iterator> iterate();  ///< Null: not iterable.
  virtual std::optional<std::int64_t> length() const;
  virtual std::optional<Value> item(const Value& key);   ///< x[key]; nothing: cannot be indexed.
  virtual void set_item(const Value& key, Value value);  ///< Default raises.
  virtual std::optional<std::vector<std::pair<Value, Value>>> mapping_items()
      const;  ///< For **x, dict(x), json.

  /// Every Value it holds: for freezing and for cycles.
  virtual void visit_children(ValueVisitor& visitor) const;
  /// Lets go of every Value it holds; nothing calls it any more.
  virtual void drop_children();
  virtual void on_freeze() {}

  bool is_frozen() const { return frozen_; }
  void mark_frozen() { frozen_ = true; }
  /// Same in every run: objects are numbered as they are made.
  std::uint64_t identity_hash() const;

 protected:
  explicit Object(Kind kind);

 private:
  friend class Heap;
  std::uint64_t serial_;
  Object* previous_;
  Object* next_;
};

class HostObject : public Object {
 protected:
  HostObject() : Object(Kind::kHost) {}
};

}  // namespace misrule::star
