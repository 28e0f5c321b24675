#include "codecs/postgres/made_up.h"

#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres {

namespace {

Result<std::string> rows_of_portal(const ReplyPlan& plan, const Named* portal) {
  if (plan.columns.empty() && plan.rows.empty()) return std::string();
  if (portal == nullptr) return fail(Code::kInvalid, "its columns are not known");
  MISRULE_TRY(const auto columns, columns_of(*portal));
  if (columns.empty()) return fail(Code::kInvalid, "the statement returns no rows");
  return made_up_rows(plan, columns);
}

/// The statement's own columns, if the rows fit them, or else what the rows look like.
Result<std::string> rows_of_query(const ReplyPlan& plan, const Named& statement) {
  if (const auto columns = read_columns(statement.columns)) {
    if (const auto rows = made_up_rows(plan, *columns)) return row_description(*columns) + *rows;
  }
  if (plan.columns.empty()) return std::string();
  const Columns columns = natural_columns(plan);
  MISRULE_TRY(const auto rows, made_up_rows(plan, columns));
  return row_description(columns) + rows;
}

}  // namespace

Result<Columns> columns_of(const Named& portal) {
  const Named* const prepared = portal.prepared.get();
  if (prepared == nullptr || !prepared->is_described) {
    return fail(Code::kInvalid, "its columns are not known: the client did not ask for them");
  }
  if (prepared->columns.empty()) return Columns();
  auto columns = read_columns(prepared->columns);
  const auto bound = read_bound(portal.bound);
  if (!columns || !bound) {
    return fail(Code::kInvalid, "its columns are not known: what describes them is too long");
  }
  use_formats(*columns, bound->result_formats);
  return *std::move(columns);
}

Result<std::string> made_up_reply(const Owed& owed) {
  const Unit& unit = owed.units.front();
  const bool is_query = owed.kind == Owed::Kind::kQuery;
  MISRULE_TRY(std::string reply, is_query ? rows_of_query(*unit.plan, *owed.named->prepared)
                                          : rows_of_portal(*unit.plan, owed.named.get()));
  return reply + command_complete(unit.made_up_tag);
}

}  // namespace misrule::codecs::postgres
