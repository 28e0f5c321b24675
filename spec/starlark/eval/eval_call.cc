// Calls: what is called, with what, and the frame around it.

#include <algorithm>
#include <new>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/call_access.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/stack_bounds.h"

namespace misrule::star {

/// Makes a frame the innermost one, and checks that there is room for it.
class Interpreter::Activation {
 public:
  Activation(Interpreter& interpreter, Frame& frame) : stack_(interpreter.stack_) {
    frame.caller = stack_.top;
    if (stack_.depth >= interpreter.thread_.limits_.call_depth_max || stack_exhausted()) {
      raise(code::kLimit, fmt::format("Starlark stack overflow ({} calls deep)", stack_.depth));
    }
    ++stack_.depth;
    stack_.top = &frame;
  }
  ~Activation() {
    stack_.top = stack_.top->caller;
    --stack_.depth;
  }
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;

 private:
  CallStack& stack_;
};

/// The arguments of one call, evaluated.
struct Interpreter::Arguments {
  std::vector<Value> positional = {};
  std::vector<Keyword> keywords = {};
};

namespace {

void place_at_callee(Frame& frame, const CallExpr& call) {
  const Expr& callee = *call.callee;
  const bool method = callee.kind == ExprKind::kAttribute;
  frame.at(method ? as<AttributeExpr>(callee).name_lo : callee.lo, callee.hi);
}

}  // namespace

Value Interpreter::eval_call(Frame& frame, const CallExpr& call) {
  if (call.callee->kind == ExprKind::kAttribute) {
    const auto& attribute = as<AttributeExpr>(*call.callee);
    const Value self = eval(frame, *attribute.object);
    const MemberTable* members = members_of(self);
    const Member* member = members != nullptr ? members->find(attribute.name) : nullptr;
    if (member != nullptr && !member->is_property) return call_method(frame, call, self, *member);
    frame.at(attribute.name_lo, attribute.hi);
    return call_general(frame, call, require_attribute(self, attribute.name));
  }
  const Value callee = eval(frame, *call.callee);
  if (const Function* function = callee.as_function()) {
    const FunctionSyntax& syntax = function->syntax();
    const bool simple = call.arguments.size() == call.positional_count &&
                        syntax.parameters.size() == call.positional_count &&
                        syntax.plain_count == call.positional_count;
    if (simple) return call_direct(frame, call, *function);
  }
  return call_general(frame, call, callee);
}

// Every parameter is given by position: arguments are evaluated where the callee has its locals.
Value Interpreter::call_direct(Frame& frame, const CallExpr& call, const Function& function) {
  const Slots locals(stack_, function.syntax().slot_count);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    locals[i] = eval(frame, *call.arguments[i].value);
  }
  place_at_callee(frame, call);
  return run_body(function, locals.begin());
}

Value Interpreter::call_method(Frame& frame, const CallExpr& call, const Value& self,
                               const Member& member) {
  Arguments arguments;
  gather(frame, call, arguments);
  place_at_callee(frame, call);
  tick();
  Args args(thread_, arguments.positional, arguments.keywords);
  ArgsAccess::set_self(args, self);
  ArgsAccess::set_site(args, frame.file, &call);
  return run_native(member.name, member.flags, args, nullptr, member.fn);
}

Value Interpreter::call_general(Frame& frame, const CallExpr& callee_expr, const Value& callee) {
  Arguments arguments;
  gather(frame, callee_expr, arguments);
  place_at_callee(frame, callee_expr);
  return call(callee, arguments.positional, arguments.keywords, &callee_expr, frame.file);
}

void Interpreter::gather(Frame& frame, const CallExpr& call, Arguments& out) {
  out.positional.reserve(call.positional_count);
  out.keywords.reserve(call.keyword_count);
  for (const Argument& argument : call.arguments) {
    switch (argument.kind) {
      case ArgumentKind::kPositional:
        out.positional.push_back(eval(frame, *argument.value));
        break;
      case ArgumentKind::kKeyword:
        out.keywords.push_back({argument.name, eval(frame, *argument.value)});
        break;
      case ArgumentKind::kStar:
        gather_star(frame, argument, out);
        break;
      case ArgumentKind::kStarStar:
        gather_star_star(frame, argument, out);
        break;
    }
  }
}

void Interpreter::gather_star(Frame& frame, const Argument& argument, Arguments& out) {
  const Value value = eval(frame, *argument.value);
  frame.at(argument.lo, argument.value->hi);
  if (!is_iterable(value)) {
    raise(code::kType, fmt::format("argument after * must be iterable, not {}", value.type_name()));
  }
  std::vector<Value> more = value.elements();
  std::move(more.begin(), more.end(), std::back_inserter(out.positional));
}

void Interpreter::gather_star_star(Frame& frame, const Argument& argument, Arguments& out) {
  const Value value = eval(frame, *argument.value);
  frame.at(argument.lo, argument.value->hi);
  const Object* object = value.as_object();
  auto items = object != nullptr ? object->mapping_items() : std::nullopt;
  if (!items) {
    raise(code::kType,
          fmt::format("argument after ** must be a mapping, not {}", value.type_name()));
  }
  for (auto& [key, item] : *items) {
    const auto name = key.as_string();
    if (!name) {
      raise(code::kType, fmt::format("keywords must be strings, not {}", key.type_name()));
    }
    out.keywords.push_back({Symbol(*name), std::move(item)});
  }
}

Value Interpreter::call(const Value& callee, std::span<const Value> positional,
                        std::span<const Keyword> keywords, const CallExpr* site,
                        const SourceFile* file) {
  if (const Function* function = callee.as_function()) {
    return call_function(*function, positional, keywords);
  }
  Object* object = callee.as_object();
  if (object == nullptr || !object->is_callable()) {
    raise(code::kType, fmt::format("invalid call of non-function ({})", callee.type_name()));
  }
  tick();
  Args args(thread_, positional, keywords);
  ArgsAccess::set_site(args, file, site);
  if (callee.kind() == Kind::kNative) {
    const auto* native = static_cast<const NativeFunction*>(object);
    return run_native(native->name(), native->flags(), args, &native->fn(), nullptr);
  }
  if (callee.kind() == Kind::kBoundMethod) {
    const auto* method = static_cast<const BoundMethod*>(object);
    ArgsAccess::set_self(args, method->self());
    return run_native(method->member().name, method->member().flags, args, nullptr,
                      method->member().fn);
  }
  const Value kept = callee;
  const std::function<Value(Args&)> invoke = [object](Args& inner) { return object->call(inner); };
  return run_native(object->type_name(), kPure, args, &invoke, nullptr);
}

Value Interpreter::run_native(std::string_view name, std::uint32_t flags, Args& args,
                              const std::function<Value(Args&)>* fn, NativePointer pointer) {
  if ((flags & thread_.forbidden_) != 0) {
    raise(code::kType, fmt::format("{} cannot be called {}", name, thread_.forbidden_where_));
  }
  Frame frame;
  frame.name = name;
  const Activation activation(*this, frame);
  ArgsAccess::set_name(args, name);
  try {
    Value out = pointer != nullptr ? pointer(args) : (*fn)(args);
    if ((flags & kBlocking) != 0) stack_.countdown = 1;  // It may have been cancelled meanwhile.
    return out;
  } catch (const EvalError&) {
    throw;
  } catch (const std::bad_alloc&) {
    raise(code::kLimit, fmt::format("{}: out of memory", name));
  } catch (const std::exception& error) {
    raise(code::kInternal, fmt::format("{}: internal: {}", name, error.what()));
  }
}

Value Interpreter::call_function(const Function& function, std::span<const Value> positional,
                                 std::span<const Keyword> keywords) {
  const Slots locals(stack_, function.syntax().slot_count);
  bind(function, positional, keywords, locals.begin());
  return run_body(function, locals.begin());
}

void Interpreter::enter_cells(const FunctionSyntax& syntax, Value* locals) {
  for (const std::uint32_t slot : syntax.cell_slots) {
    const Ref<Cell> cell = make<Cell>();
    cell->value = std::move(locals[slot]);
    locals[slot] = Value::object(cell);
  }
}

void Interpreter::check_recursion(const FunctionSyntax& syntax) {
  for (const Frame* frame = stack_.top; frame != nullptr; frame = frame->caller) {
    if (frame->syntax != &syntax) continue;
    raise(code::kLimit, fmt::format("function {} called recursively", syntax.name));
  }
}

Value Interpreter::run_body(const Function& function, Value* locals) {
  const Ref<const Function> kept(&function);
  const FunctionSyntax& syntax = function.syntax();
  tick();
  if (!thread_.runtime_.dialect().recursion) check_recursion(syntax);
  Frame frame;
  frame.name = syntax.name;
  frame.file = &function.module().file();
  frame.at(syntax.name_lo, syntax.name_hi);
  frame.locals = locals;
  frame.captured = function.captured_.data();
  frame.module = &function.module();
  frame.syntax = &syntax;
  const Activation activation(*this, frame);
  if (!syntax.cell_slots.empty()) enter_cells(syntax, locals);
  if (syntax.value != nullptr) return eval(frame, *syntax.value);
  return run_block(frame, syntax.body) == Flow::kReturn ? std::move(frame.result) : Value();
}

void Interpreter::run_file(Module& module) {
  const FunctionSyntax& syntax = module.syntax_->toplevel;
  const Slots locals(stack_, syntax.slot_count);
  Frame frame;
  frame.name = "<toplevel>";
  frame.file = &module.file();
  frame.locals = locals.begin();
  frame.module = &module;
  frame.syntax = &syntax;
  const Activation activation(*this, frame);
  enter_cells(syntax, locals.begin());
  run_block(frame, module.syntax_->body);
}

}  // namespace misrule::star
