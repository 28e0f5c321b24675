#include "codecs/postgres/misfit.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codecs/postgres/parse_tree.h"

namespace misrule::codecs::postgres {

namespace {

std::string_view first_word(std::string_view normal) { return normal.substr(0, normal.find(' ')); }

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_copy(const Statement& statement) { return first_word(statement.normal) == "copy"; }

/// What later statements build on: it must have happened, and once.
bool makes_session(const Unit& unit, const Statement& statement) {
  if (unit.kind != StatementKind::kOther && unit.kind != StatementKind::kExecute) return true;
  return is_one_of(first_word(statement.normal), {"savepoint", "release", "declare", "close"});
}

}  // namespace

std::string_view misfit(const Unit& unit, const Statement& statement, bool in_failed_transaction) {
  using Fate = Unit::Fate;
  const bool of_reply = unit.changes_reply() && !unit.plan->of_request;
  if (unit.fate == Fate::kRespond || unit.fate == Fate::kDuplicate) {
    if (in_failed_transaction) return "the transaction has failed: a server refuses the statement";
    if (makes_session(unit, statement)) return "what follows it on the session builds on it";
    if (is_copy(statement)) return "COPY is an exchange, not one reply";
  }
  if (of_reply && is_copy(statement)) return "COPY has no rows of columns";
  return {};
}

std::string made_up_tag(const ReplyPlan& plan, const Statement& statement) {
  if (!plan.tag.empty()) return plan.tag;
  std::string_view word = first_word(statement.normal);
  const ShapePtr shape = word == "with" ? shape_of(statement.raw, statement.normal) : nullptr;
  const auto is = [&](std::string_view lower, std::string_view kind) {
    return word == lower || (shape && shape->kind == kind);
  };
  const std::size_t rows = plan.rows.size();
  if (is("insert", "INSERT")) return fmt::format("INSERT 0 {}", rows);
  if (is("update", "UPDATE")) return fmt::format("UPDATE {}", rows);
  if (is("delete", "DELETE")) return fmt::format("DELETE {}", rows);
  return fmt::format("SELECT {}", rows);
}

}  // namespace misrule::codecs::postgres
