#pragma once

// Frames, slots and counters of one Thread.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "spec/starlark/runtime.h"
#include "spec/starlark/syntax/ast.h"
#include "spec/starlark/thread.h"

namespace misrule::star {

/// One running call. Lives on the C++ stack; linked to its caller.
struct Frame {
  Frame* caller = nullptr;
  std::string_view name = {};
  const SourceFile* file = nullptr;  ///< Null: a native.
  std::uint32_t lo = 0;              ///< What is being done: for errors.
  std::uint32_t hi = 0;
  Value* locals = nullptr;
  const Value* captured = nullptr;
  Module* module = nullptr;
  const FunctionSyntax* syntax = nullptr;
  Value result = {};

  void at(std::uint32_t from, std::uint32_t to) {
    lo = from;
    hi = to;
  }
  void at(const Expr& expr) { at(expr.lo, expr.hi); }
};

class CallStack {
 public:
  Frame* top = nullptr;
  std::uint32_t depth = 0;
  std::uint32_t countdown = 1;  ///< Ticks until the next slow_tick().
  std::uint64_t steps = 0;      ///< Counted by slow_tick().
  std::uint32_t interval = 1;   ///< What countdown started from.
  std::chrono::steady_clock::time_point turn_began = {};
  const char* stack_end = nullptr;  ///< Lowest address that spec code may use.

  /// Storage for locals and arguments, last in first out. Fresh slots are unbound.
  Value* push(std::size_t count);
  void pop(Value* slots, std::size_t count);

 private:
  static constexpr std::size_t kChunk = 8192;
  struct Chunk {
    std::unique_ptr<Value[]> values;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  std::vector<Chunk> chunks_;
  std::size_t current_ = 0;
};

/// Slots for the time of a scope.
class Slots {
 public:
  Slots(CallStack& stack, std::size_t count)
      : stack_(stack), count_(count), values_(stack.push(count)) {}
  ~Slots() { stack_.pop(values_, count_); }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  Value* begin() const { return values_; }
  Value& operator[](std::size_t i) const { return values_[i]; }
  std::size_t size() const { return count_; }

 private:
  CallStack& stack_;
  std::size_t count_;
  Value* values_;
};

/// A variable that closures share.
class Cell final : public Object {
 public:
  Cell() : Object(Kind::kCell), value(Value::unbound()) {}
  std::string_view type_name() const override { return "cell"; }
  void visit_children(ValueVisitor& visitor) const override { visitor.visit(value); }
  void drop_children() override { value = Value(); }
  Value value;
};

}  // namespace misrule::star
