// Which names a file or a function binds, and whether it may bind them again.

#include "fmt/format.h"
#include "spec/starlark/resolve/resolver.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {
namespace {

template <class T>
T& mutable_as(Stmt& stmt) {
  return static_cast<T&>(stmt);
}

}  // namespace

void Resolver::collect_globals(Block& block, bool unconditional) {
  for (const StmtPtr& pointer : block) {
    Stmt& stmt = *pointer;
    switch (stmt.kind) {
      case StmtKind::kAssign:
        collect_global_targets(*mutable_as<AssignStmt>(stmt).target, GlobalKind::kPlain,
                               unconditional);
        break;
      case StmtKind::kAugmented:
        collect_global_targets(*mutable_as<AssignStmt>(stmt).target, GlobalKind::kPlain, false);
        break;
      case StmtKind::kDef:
        bind_global(*mutable_as<DefStmt>(stmt).name, GlobalKind::kDef, unconditional);
        break;
      case StmtKind::kLoad:
        for (LoadStmt::Binding& binding : mutable_as<LoadStmt>(stmt).bindings) {
          bind_global(*binding.local, GlobalKind::kLoad, unconditional);
        }
        break;
      case StmtKind::kIf:
        for (IfStmt::Branch& branch : mutable_as<IfStmt>(stmt).branches) {
          collect_globals(branch.body, false);
        }
        collect_globals(mutable_as<IfStmt>(stmt).otherwise, false);
        break;
      case StmtKind::kFor:
        collect_global_targets(*mutable_as<ForStmt>(stmt).target, GlobalKind::kLoop, false);
        collect_globals(mutable_as<ForStmt>(stmt).body, false);
        break;
      case StmtKind::kWhile:
        collect_globals(mutable_as<WhileStmt>(stmt).body, false);
        break;
      default:
        break;
    }
  }
}

void Resolver::collect_global_targets(Expr& target, GlobalKind kind, bool unconditional) {
  if (target.kind == ExprKind::kName) {
    bind_global(static_cast<NameExpr&>(target), kind, unconditional);
  }
  if (target.kind != ExprKind::kTuple && target.kind != ExprKind::kList) return;
  for (const ExprPtr& item : static_cast<ListExpr&>(target).items) {
    collect_global_targets(*item, kind, unconditional);
  }
}

void Resolver::bind_global(NameExpr& name, GlobalKind kind, bool unconditional) {
  const auto slot = static_cast<std::uint32_t>(file_.global_names.size());
  const Global fresh{.slot = slot, .kind = kind, .lo = name.lo, .unconditional = unconditional};
  const auto [found, inserted] = globals_.try_emplace(name.name, fresh);
  if (inserted) {
    file_.global_names.push_back(name.name);
    file_.global_exported.push_back(kind != GlobalKind::kLoad);
    file_.global_lo.push_back(name.lo);
    return;
  }
  Global& first = found->second;
  file_.global_lo[first.slot] = name.lo;
  const bool plain = kind != GlobalKind::kDef && kind != GlobalKind::kLoad &&
                     first.kind != GlobalKind::kDef && first.kind != GlobalKind::kLoad;
  if (!plain || !dialect_.rebind_globals) {
    report_rebinding(name, kind, first);
  } else if (unconditional && first.unconditional && kind == GlobalKind::kPlain) {
    lint_rebinding(name, first);
  }
}

void Resolver::report_rebinding(const NameExpr& name, GlobalKind kind, const Global& first) {
  const Position at = file_.file->position(first.lo);
  const std::string_view text = name.name.text();
  std::string_view what = "global";
  if (first.kind == GlobalKind::kLoad) what = "local";
  if (kind == GlobalKind::kLoad) what = "top-level";
  Diagnostic problem;
  problem.code = code::kName;
  problem.message = fmt::format("cannot reassign {} {} declared at {}:{}:{}", what, text, at.path,
                                at.line, at.column);
  problem.at = span(name.lo, name.hi);
  problem.labels.push_back(
      {.at = span(first.lo, first.lo + static_cast<std::uint32_t>(text.size())),
       .text = "first here"});
  if (kind == GlobalKind::kDef && first.kind == GlobalKind::kDef) {
    problem.help = "the first one would never be called: give one of them another name";
  }
  problems_.push_back(std::move(problem));
}

void Resolver::lint_rebinding(const NameExpr& name, const Global& first) {
  const std::string_view text = name.name.text();
  Diagnostic lint;
  lint.severity = Severity::kWarning;
  lint.code = code::kLint;
  lint.message = fmt::format("global {} is bound again", text);
  lint.help = "what was made with the first value keeps it; what comes later sees this one";
  lint.at = span(name.lo, name.hi);
  lint.labels.push_back({.at = span(first.lo, first.lo + static_cast<std::uint32_t>(text.size())),
                         .text = "first here"});
  problems_.push_back(std::move(lint));
}

std::uint32_t Resolver::add_local(Symbol name, FunctionScope& scope) {
  scope.locals.push_back({.name = name});
  return static_cast<std::uint32_t>(scope.locals.size() - 1);
}

std::uint32_t Resolver::bind_local(Symbol name, FunctionScope& scope) {
  auto& names = scope.blocks.back();
  const auto found = names.find(name);
  if (found != names.end()) return found->second;
  const std::uint32_t slot = add_local(name, scope);
  names.emplace(name, slot);
  return slot;
}

void Resolver::collect_locals(Block& block, FunctionScope& scope) {
  for (const StmtPtr& pointer : block) {
    Stmt& stmt = *pointer;
    switch (stmt.kind) {
      case StmtKind::kAssign:
      case StmtKind::kAugmented:
        collect_local_targets(*mutable_as<AssignStmt>(stmt).target, scope);
        break;
      case StmtKind::kDef:
        bind_local(mutable_as<DefStmt>(stmt).name->name, scope);
        break;
      case StmtKind::kIf:
        for (IfStmt::Branch& branch : mutable_as<IfStmt>(stmt).branches) {
          collect_locals(branch.body, scope);
        }
        collect_locals(mutable_as<IfStmt>(stmt).otherwise, scope);
        break;
      case StmtKind::kFor:
        collect_local_targets(*mutable_as<ForStmt>(stmt).target, scope);
        collect_locals(mutable_as<ForStmt>(stmt).body, scope);
        break;
      case StmtKind::kWhile:
        collect_locals(mutable_as<WhileStmt>(stmt).body, scope);
        break;
      default:
        break;
    }
  }
}

void Resolver::collect_local_targets(Expr& target, FunctionScope& scope) {
  if (target.kind == ExprKind::kName) bind_local(static_cast<NameExpr&>(target).name, scope);
  if (target.kind != ExprKind::kTuple && target.kind != ExprKind::kList) return;
  for (const ExprPtr& item : static_cast<ListExpr&>(target).items) {
    collect_local_targets(*item, scope);
  }
}

}  // namespace misrule::star
