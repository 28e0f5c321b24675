// Callables and namespaces.

#include "spec/starlark/function.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/call_access.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {

Function::Function(Ref<Module> module, const FunctionSyntax& syntax)
    : Object(Kind::kFunction), module_(std::move(module)), syntax_(&syntax) {}
Function::~Function() = default;

std::string_view Function::name() const {
  return module_ ? std::string_view(syntax_->name) : std::string_view();
}
std::string_view Function::doc() const {
  return module_ ? std::string_view(syntax_->doc) : std::string_view();
}
bool Function::is_lambda() const { return module_ && syntax_->is_lambda; }

Span Function::def_span() const {
  if (!module_) return {};
  return {&module_->file(), syntax_->name_lo, syntax_->name_hi};
}
Span Function::whole_span() const {
  if (!module_) return {};
  return {&module_->file(), syntax_->lo, syntax_->hi};
}
std::size_t Function::parameter_count() const { return module_ ? syntax_->named_count : 0; }

std::size_t Function::required_count() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < parameter_count(); ++i) {
    if (syntax_->parameters[i].default_value == nullptr) ++count;
  }
  return count;
}

bool Function::has_varargs() const { return module_ && syntax_->has_varargs; }
bool Function::has_kwargs() const { return module_ && syntax_->has_kwargs; }
std::string_view Function::parameter_name(std::size_t index) const {
  return syntax_->parameters[index].name.text();
}

bool Function::accepts(std::size_t positional) const {
  if (!module_) return false;
  if (positional > syntax_->plain_count) return syntax_->has_varargs;
  for (std::size_t i = positional; i < syntax_->named_count; ++i) {
    if (syntax_->parameters[i].default_value == nullptr) return false;
  }
  return true;
}

void Function::write_repr(Writer& out) const { out.text(fmt::format("<function {}>", name())); }

Value Function::call(Args& args) {
  return Interpreter(args.thread()).call_function(*this, args.positional(), args.keywords());
}

void Function::visit_children(ValueVisitor& visitor) const {
  for (const Value& value : defaults_) visitor.visit(value);
  for (const Value& value : captured_) visitor.visit(value);
}

void Function::drop_children() {
  const std::vector<Value> defaults = std::exchange(defaults_, {});
  const std::vector<Value> captured = std::exchange(captured_, {});
  module_ = {};
}

NativeFunction::NativeFunction(std::string name, NativeFn fn, std::uint32_t flags, std::string doc)
    : Object(Kind::kNative),
      name_(std::move(name)),
      fn_(std::move(fn)),
      flags_(flags),
      doc_(std::move(doc)) {}

Value NativeFunction::make(std::string name, NativeFn fn, std::uint32_t flags, std::string doc) {
  return Value::of(new NativeFunction(std::move(name), std::move(fn), flags, std::move(doc)));
}

void NativeFunction::write_repr(Writer& out) const {
  out.text(fmt::format("<built-in function {}>", name_));
}

Value NativeFunction::call(Args& args) { return fn_(args); }

BoundMethod::BoundMethod(Value self, const Member& member)
    : Object(Kind::kBoundMethod), self_(std::move(self)), member_(&member) {}

void BoundMethod::write_repr(Writer& out) const {
  out.text(fmt::format("<built-in method {} of {} value>", member_->name, self_.type_name()));
}

Value BoundMethod::call(Args& args) {
  ArgsAccess::set_self(args, self_);
  return member_->fn(args);
}

Namespace::Namespace(std::string name, std::vector<std::pair<Symbol, Value>> members)
    : Object(Kind::kModule), name_(std::move(name)), members_(std::move(members)) {}

void Namespace::write_repr(Writer& out) const { out.text(fmt::format("<module \"{}\">", name_)); }

std::optional<Value> Namespace::dynamic_attribute(Symbol name) {
  for (const auto& [symbol, value] : members_) {
    if (symbol == name) return value;
  }
  return std::nullopt;
}

void Namespace::list_dynamic_attributes(std::vector<Symbol>& out) const {
  for (const auto& [symbol, value] : members_) out.push_back(symbol);
}

void Namespace::visit_children(ValueVisitor& visitor) const {
  for (const auto& [symbol, value] : members_) visitor.visit(value);
}

}  // namespace misrule::star
