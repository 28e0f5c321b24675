#pragma once

// Callables as the host sees them: functions of a spec, and natives.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/args.h"
#include "spec/starlark/object.h"

namespace misrule::star {

struct FunctionSyntax;
class Module;
class Cell;

/// A def or lambda, with what it closes over.
class Function final : public Object {
 public:
  Function(Ref<Module> module, const FunctionSyntax& syntax);
  ~Function() override;

  std::string_view name() const;  ///< "lambda" for one.
  std::string_view doc() const;   ///< Docstring as written, or empty.
  bool is_lambda() const;
  Span def_span() const;  ///< The name of a def; the word lambda.
  Span whole_span() const;
  std::size_t parameter_count() const;  ///< Without *args and **kwargs.
  std::size_t required_count() const;   ///< Of those: without default.
  bool has_varargs() const;
  bool has_kwargs() const;
  std::string_view parameter_name(std::size_t index) const;
  /// Can it be called with this many positional arguments and nothing else?
  bool accepts(std::size_t positional) const;
  const FunctionSyntax& syntax() const { return *syntax_; }
  Module& module() const { return *module_; }

  std::string_view type_name() const override { return "function"; }
  void write_repr(Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }
  bool is_callable() const override { return true; }
  Value call(Args& args) override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  friend class Interpreter;
  Ref<Module> module_;
  const FunctionSyntax* syntax_;
  std::vector<Value> defaults_;  // Of the parameters that have one, in order.
  std::vector<Value> captured_;  // Cells.
};

using NativeFn = std::function<Value(Args&)>;

/// A function of the host. NativeFunction::make(...) or Env::def().
class NativeFunction final : public Object {
 public:
  NativeFunction(std::string name, NativeFn fn, std::uint32_t flags = kPure, std::string doc = {});
  static Value make(std::string name, NativeFn fn, std::uint32_t flags = kPure,
                    std::string doc = {});
  const std::string& name() const { return name_; }
  const std::string& doc() const { return doc_; }
  std::uint32_t flags() const { return flags_; }

  std::string_view type_name() const override { return "builtin_function_or_method"; }
  void write_repr(Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }
  bool is_callable() const override { return true; }
  Value call(Args& args) override;
  const NativeFn& fn() const { return fn_; }

 private:
  std::string name_;
  NativeFn fn_;
  std::uint32_t flags_;
  std::string doc_;
};

/// x.method, taken but not called.
class BoundMethod final : public Object {
 public:
  BoundMethod(Value self, const Member& member);
  const Value& self() const { return self_; }
  const Member& member() const { return *member_; }

  std::string_view type_name() const override { return "builtin_function_or_method"; }
  void write_repr(Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }
  bool is_callable() const override { return true; }
  Value call(Args& args) override;
  void visit_children(ValueVisitor& visitor) const override { visitor.visit(self_); }
  void drop_children() override { self_ = Value(); }

 private:
  Value self_;
  const Member* member_;
};

/// Named values under one name: json.encode. A host's namespaces are these too.
class Namespace final : public Object {
 public:
  Namespace(std::string name, std::vector<std::pair<Symbol, Value>> members);
  std::string_view type_name() const override { return "module"; }
  void write_repr(Writer& out) const override;
  std::optional<Value> dynamic_attribute(Symbol name) override;
  void list_dynamic_attributes(std::vector<Symbol>& out) const override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override { members_.clear(); }

 private:
  std::string name_;
  std::vector<std::pair<Symbol, Value>> members_;
};

}  // namespace misrule::star
