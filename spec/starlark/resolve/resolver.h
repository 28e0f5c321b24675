#pragma once

// What every name of a file means, decided before it runs; and every other error that needs no run.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spec/starlark/diagnostic.h"
#include "spec/starlark/syntax/ast.h"

namespace misrule::star {

struct Dialect;

struct SymbolHash {
  std::size_t operator()(Symbol symbol) const { return symbol.hash(); }
};
template <class T>
using SymbolMap = std::unordered_map<Symbol, T, SymbolHash>;

/// The names that are there before a file runs, and their slots.
using Predeclared = SymbolMap<std::uint32_t>;

/// Completes the tree. Errors and notes are appended to `problems`.
void resolve_file(FileSyntax& file, const Predeclared& predeclared, const Dialect& dialect,
                  std::vector<Diagnostic>& problems);

/// One local variable, parameter or comprehension variable.
struct LocalBinding {
  Symbol name = {};
  bool in_cell = false;
  std::vector<NameExpr*> uses = {};
};

/// A function (or the top level) while it is being resolved.
struct FunctionScope {
  FunctionScope* parent = nullptr;
  FunctionSyntax* syntax = nullptr;
  std::vector<LocalBinding> locals = {};              ///< By slot.
  std::vector<SymbolMap<std::uint32_t>> blocks = {};  ///< Innermost last.
  SymbolMap<std::uint32_t> captures = {};
  std::uint32_t loops = 0;
  std::uint32_t conditionals = 0;
};

class Resolver {
 public:
  Resolver(FileSyntax& file, const Predeclared& predeclared, const Dialect& dialect,
           std::vector<Diagnostic>& problems)
      : file_(file), predeclared_(predeclared), dialect_(dialect), problems_(problems) {}
  void run();

 private:
  enum class GlobalKind : std::uint8_t { kPlain, kDef, kLoad, kLoop };
  struct Global {
    std::uint32_t slot = 0;
    GlobalKind kind = GlobalKind::kPlain;
    std::uint32_t lo = 0;
    bool unconditional = true;
  };

  // bindings.cc: which names a block binds.
  void collect_globals(Block& block, bool unconditional);
  void collect_global_targets(Expr& target, GlobalKind kind, bool unconditional);
  void bind_global(NameExpr& name, GlobalKind kind, bool unconditional);
  void report_rebinding(const NameExpr& name, GlobalKind kind, const Global& first);
  void lint_rebinding(const NameExpr& name, const Global& first);
  void collect_locals(Block& block, FunctionScope& scope);
  void collect_local_targets(Expr& target, FunctionScope& scope);
  std::uint32_t bind_local(Symbol name, FunctionScope& scope);
  std::uint32_t add_local(Symbol name, FunctionScope& scope);

  // resolver.cc: names and functions.
  void use(NameExpr& name);
  bool use_local(NameExpr& name);
  std::optional<std::uint32_t> capture(FunctionScope& scope, Symbol name);
  static std::optional<std::uint32_t> find_local(const FunctionScope& scope, Symbol name);
  void report_undefined(const NameExpr& name);
  void function(FunctionSyntax& syntax);
  void bind_parameters(FunctionSyntax& syntax, FunctionScope& scope);
  void check_parameters(const FunctionSyntax& syntax);
  void sort_parameters(FunctionSyntax& syntax);
  static void finish(FunctionScope& scope);

  // walk.cc: statements and expressions.
  void block(Block& block);
  void statement(Stmt& stmt);
  void loop(Stmt& stmt);
  void conditional(IfStmt& stmt);
  void load(LoadStmt& stmt);
  void expression(Expr* expr);
  void composite(Expr& expr);
  void comprehension(ComprehensionExpr& expr);
  void call(CallExpr& call);
  void check_arguments(const CallExpr& call);
  void target(Expr& target, bool augmented);
  bool at_top_level() const { return scope_->parent == nullptr; }
  void error(std::uint32_t lo, std::uint32_t hi, std::string_view code, std::string message);
  Span span(std::uint32_t lo, std::uint32_t hi) const { return {file_.file, lo, hi}; }

  FileSyntax& file_;
  const Predeclared& predeclared_;
  const Dialect& dialect_;
  std::vector<Diagnostic>& problems_;
  SymbolMap<Global> globals_;
  FunctionScope* scope_ = nullptr;
};

}  // namespace misrule::star
