#pragma once

// What the value of an expression is, as far as the text of a loaded spec tells: literals, globals,
// locals that are assigned once, and actions made of these.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/dsl/rule_value.h"
#include "spec/dsl/session.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

/// A definition at the top level of a file, with all that is nested in it.
struct Unit {
  const star::Module* module = nullptr;
  const star::Stmt* stmt = nullptr;
  std::string name = {};  ///< Empty: statements outside of any definition.
  std::vector<const star::CallExpr*> calls = {};
  std::vector<const star::AttributeExpr*> attributes = {};
  std::vector<const star::Expr*> names = {};  ///< NameExpr that are no locals.
  /// Locals that are assigned exactly once; null for those assigned more often.
  std::map<std::string, const star::Expr*> locals = {};
};

/// Every unit of a module, in the order of the text.
std::vector<Unit> units_of(const star::Module& module);

struct StaticValue {
  star::Value value = {};
  bool complete = true;  ///< False: made without arguments whose value is not known.
};

class StaticReader {
 public:
  StaticReader(star::Thread& thread, std::vector<star::Diagnostic>& problems)
      : thread_(thread), problems_(problems) {}

  std::optional<StaticValue> value_of(const Unit& unit, const star::Expr& expr) {
    return value_of(unit, expr, 0);
  }
  star::Span span_of(const Unit& unit, const star::Expr& expr) const {
    return {&unit.module->file(), expr.lo, expr.hi};
  }
  /// What a call would say, if it fails.
  std::optional<star::Diagnostic> failure_of(const star::Value& function,
                                             const std::vector<star::Value>& positional,
                                             const std::vector<star::Keyword>& keywords);
  void complain(star::Span at, std::string message, std::string help = {});

 private:
  std::optional<StaticValue> value_of(const Unit& unit, const star::Expr& expr, int depth);
  std::optional<StaticValue> list_value(const Unit& unit, const star::ListExpr& list, int depth);
  std::optional<StaticValue> dict_value(const Unit& unit, const star::DictExpr& dict, int depth);
  std::optional<StaticValue> name_value(const Unit& unit, const star::NameExpr& name, int depth);
  std::optional<StaticValue> action_value(const Unit& unit, const star::CallExpr& call, int depth);
  star::Span blamed(const Unit& unit, const star::CallExpr& call, const std::string& message) const;
  bool check_keywords(const Unit& unit, const star::CallExpr& call, const std::string& verb);

  star::Thread& thread_;
  std::vector<star::Diagnostic>& problems_;
  std::map<const star::CallExpr*, std::optional<StaticValue>> actions_;  ///< Each complains once.
};

/// Is this the builtin of that name, not something that shadows it?
bool is_builtin(const star::Expr& expr, std::string_view name);

}  // namespace misrule::dsl
