#pragma once

// Walks resolved syntax trees. One Thread at a time, lock held.

#include <cstdint>
#include <span>
#include <vector>

#include "spec/starlark/eval/call_stack.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/function.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {

class Interpreter {
 public:
  explicit Interpreter(Thread& thread) : thread_(thread), stack_(*thread.stack_) {}

  /// Runs the statements of a file.
  void run_file(Module& module);
  Value call(const Value& callee, std::span<const Value> positional,
             std::span<const Keyword> keywords, const CallExpr* site, const SourceFile* file);
  Value call_function(const Function& function, std::span<const Value> positional,
                      std::span<const Keyword> keywords);

  static std::vector<CallFrame> frames(const Thread& thread);
  static Frame* top(const Thread& thread);
  static void release_stack(Thread& thread);

 private:
  enum class Flow : std::uint8_t { kNext, kBreak, kContinue, kReturn };
  class Activation;
  struct Arguments;

  // eval_expr.cc
  Value eval(Frame& frame, const Expr& expr);
  Value eval_name(Frame& frame, const NameExpr& name);
  Value eval_list(Frame& frame, const ListExpr& list);
  Value eval_dict(Frame& frame, const DictExpr& dict);
  Value eval_unary(Frame& frame, const UnaryExpr& unary);
  Value eval_binary(Frame& frame, const BinaryExpr& binary);
  Value eval_compare(Frame& frame, const CompareExpr& compare);
  Value eval_attribute(Frame& frame, const AttributeExpr& attribute);
  Value eval_index(Frame& frame, const IndexExpr& index);
  Value eval_slice(Frame& frame, const SliceExpr& slice);
  Value eval_comprehension(Frame& frame, const ComprehensionExpr& expr);
  void run_clauses(Frame& frame, const ComprehensionExpr& expr, std::size_t clause, Object& out);
  void emit(Frame& frame, const ComprehensionExpr& expr, Object& out);
  Value make_function(Frame& frame, const FunctionSyntax& syntax);
  [[noreturn]] void raise_unbound(Frame& frame, const NameExpr& name);

  // eval_call.cc
  Value eval_call(Frame& frame, const CallExpr& call);
  Value call_method(Frame& frame, const CallExpr& call, const Value& self, const Member& member);
  Value call_direct(Frame& frame, const CallExpr& call, const Function& function);
  Value call_general(Frame& frame, const CallExpr& call, const Value& callee);
  void gather(Frame& frame, const CallExpr& call, Arguments& out);
  void gather_star(Frame& frame, const Argument& argument, Arguments& out);
  void gather_star_star(Frame& frame, const Argument& argument, Arguments& out);
  Value run_native(std::string_view name, std::uint32_t flags, Args& args,
                   const std::function<Value(Args&)>* fn, NativePointer pointer);
  Value run_body(const Function& function, Value* locals);
  void enter_cells(const FunctionSyntax& syntax, Value* locals);
  void check_recursion(const FunctionSyntax& syntax);

  // bind.cc
  void bind(const Function& function, std::span<const Value> positional,
            std::span<const Keyword> keywords, Value* locals);
  void bind_positional(const Function& function, std::span<const Value> positional,
                       std::size_t named, Value* locals);
  void bind_keywords(const Function& function, std::span<const Keyword> keywords, Value* locals);
  void bind_defaults(const Function& function, Value* locals);

  // eval_stmt.cc
  Flow run_block(Frame& frame, const Block& block);
  Flow run_stmt(Frame& frame, const Stmt& stmt);
  Flow run_if(Frame& frame, const IfStmt& stmt);
  Flow run_for(Frame& frame, const ForStmt& stmt);
  Flow run_while(Frame& frame, const WhileStmt& stmt);
  void run_load(Frame& frame, const LoadStmt& stmt);
  void run_augmented(Frame& frame, const AssignStmt& stmt);
  Value combine(Frame& frame, const AssignStmt& stmt, Value current, const Value& right);
  void assign(Frame& frame, const Expr& target, Value value);
  void assign_name(Frame& frame, const NameExpr& name, Value value);
  void unpack(Frame& frame, const ListExpr& targets, const Value& value);

  void tick() {
    if (--stack_.countdown == 0) slow_tick();
  }
  void slow_tick();

  Thread& thread_;
  CallStack& stack_;
};

/// Sets and gets an attribute, item: shared with natives.
void assign_item(const Value& object, const Value& key, Value value);
Value item_of(const Value& object, const Value& key);

}  // namespace misrule::star
