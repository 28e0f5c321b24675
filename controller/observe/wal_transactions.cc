#include "controller/observe/wal_transactions.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/glob.h"
#include "controller/observe/wal_values.h"
#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

using pgoutput::Cell;
using pgoutput::Lsn;
using pgoutput::Relation;
using pgoutput::Row;

const char* action_of(char kind) {
  return kind == 'I' ? "INSERT" : kind == 'U' ? "UPDATE" : "DELETE";
}

/// "2026-11-22 01:23:45.678901+00", as the server would print it.
std::string time_text(std::int64_t us_since_2000) {
  using std::chrono::days;
  using std::chrono::microseconds;
  using std::chrono::sys_days;
  constexpr sys_days kEpoch{std::chrono::year(2000) / 1 / 1};
  // What no server's clock says would not be a date.
  constexpr std::int64_t kFarthest = 200'000'000'000'000'000;
  us_since_2000 = std::clamp(us_since_2000, -kFarthest, kFarthest);
  const auto day = std::chrono::floor<days>(microseconds(us_since_2000));
  const std::chrono::hh_mm_ss time(microseconds(us_since_2000) - day);
  const std::chrono::year_month_day date(kEpoch + day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

/// A long value that an UPDATE did not write is what it was, where that is known.
void fill_unchanged(Row& row, const std::optional<Row>& old_row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool known = old_row && i < old_row->size() && (*old_row)[i].kind == Cell::Kind::kText;
    if (row[i].kind == Cell::Kind::kUnchanged && known) row[i] = (*old_row)[i];
  }
}

}  // namespace

WalTransactions::WalTransactions(model::WalStream wanted, OnCommit on_commit, WalLimits limits)
    : wanted_(std::move(wanted)), on_commit_(std::move(on_commit)), limits_(limits) {}

bool WalTransactions::is_wanted(const Relation& relation) const {
  const std::string full = relation.schema + "." + relation.table;
  return wanted_.tables.empty() || std::ranges::any_of(wanted_.tables, [&](const auto& name) {
           return Glob(name).matches(name.contains('.') ? full : relation.table);
         });
}

bool WalTransactions::is_wanted_column(const std::string& name) const {
  return wanted_.columns.empty() ||
         std::ranges::find(wanted_.columns, name) != wanted_.columns.end();
}

Result<const Relation*> WalTransactions::find(std::uint32_t relation) const {
  const auto found = relations_.find(relation);
  if (!open_) return fail(Code::kInvalid, "a row outside of a transaction");
  if (found == relations_.end()) {
    return fail(Code::kInvalid, fmt::format("a row of a table that was not told: {}", relation));
  }
  return &found->second;
}

Status WalTransactions::take_begin(const pgoutput::Begin& begin) {
  if (open_) return fail(Code::kInvalid, "a transaction begins within another one");
  open_ = begin;
  return {};
}

Status WalTransactions::take_commit(const pgoutput::Commit& commit) {
  if (!open_) return fail(Code::kInvalid, "a transaction ends that has not begun");
  open_.reset();
  bytes_ = 0;
  WalTransaction done{.commit_time_us = commit.commit_time_us,
                      .events = std::exchange(events_, {})};
  if (commit.end_lsn <= told_) return {};
  if (!done.events.empty()) on_commit_(std::move(done));
  told_ = commit.end_lsn;
  return {};
}

Status WalTransactions::take_relation(Relation relation) {
  const std::uint32_t id = relation.id;
  if (relations_.size() >= limits_.relations && !relations_.contains(id)) {
    return fail(Code::kLimit, fmt::format("more than {} tables", limits_.relations));
  }
  relations_.insert_or_assign(id, std::move(relation));
  return {};
}

model::Event WalTransactions::begin_event(const Relation& relation, const char* action,
                                          Lsn at) const {
  model::Event event = {.type = "wal"};
  event.set("action", std::string(action)).set("op", std::string(action));
  event.set("schema", relation.schema).set("table", relation.table);
  event.set("xid", static_cast<std::int64_t>(open_->xid)).set("lsn", pgoutput::lsn_text(at));
  event.set("commit_time", time_text(open_->commit_time_us));
  return event;
}

std::string WalTransactions::row_json(const Relation& relation, const Row& row, bool keys_only,
                                      bool& whole) const {
  std::string out = "{";
  for (std::size_t i = 0; i < row.size(); ++i) {
    const pgoutput::Column& column = relation.columns[i];
    const bool is_known = row[i].kind != Cell::Kind::kUnchanged && (!keys_only || column.is_key);
    if (!is_known || !is_wanted_column(column.name)) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, column.name);
    out += ':';
    if (row[i].kind == Cell::Kind::kNull) {
      out += "null";
    } else {
      whole &= append_wal_value(out, column.type_oid, row[i].text, wanted_.decode_json);
    }
  }
  return out + "}";
}

Status WalTransactions::keep(model::Event event, std::size_t bytes) {
  bytes_ += bytes;
  if (events_.size() >= limits_.rows || bytes_ > limits_.bytes) {
    return fail(Code::kLimit,
                fmt::format("one transaction has more than {} rows or {} bytes; tables= and "
                            "columns= make it less",
                            limits_.rows, limits_.bytes));
  }
  events_.push_back(std::move(event));
  return {};
}

Status WalTransactions::take_change(const pgoutput::Change& change, Lsn at) {
  MISRULE_TRY(const Relation* relation, find(change.relation));
  if (!is_wanted(*relation)) return {};
  for (const auto* row : {&change.old_row, &change.new_row}) {
    if (*row && (*row)->size() != relation->columns.size()) {
      return fail(Code::kInvalid,
                  fmt::format("a row of {} has {} columns and not {}", relation->table,
                              (*row)->size(), relation->columns.size()));
    }
  }
  model::Event event = begin_event(*relation, action_of(change.kind), at);
  bool whole = true;
  std::string old_json;
  if (change.old_row) {
    old_json = row_json(*relation, *change.old_row, change.old_is_key, whole);
    event.set("old", model::Json{.text = old_json});
  }
  std::string data = old_json;
  if (change.new_row) {
    Row row = *change.new_row;
    if (!change.old_is_key) fill_unchanged(row, change.old_row);
    data = row_json(*relation, row, false, whole);
    std::string missing;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string& name = relation->columns[i].name;
      if (row[i].kind != Cell::Kind::kUnchanged || !is_wanted_column(name)) continue;
      missing += missing.empty() ? "[" : ",";
      append_json_string(missing, name);
    }
    if (!missing.empty()) event.set("unchanged", model::Json{.text = missing + "]"});
  }
  if (!whole) event.set("cut", true);
  const std::size_t bytes = data.size() + old_json.size();
  event.set("data", model::Json{.text = std::move(data)});
  return keep(std::move(event), bytes);
}

Status WalTransactions::take_truncate(const pgoutput::Truncate& truncate, Lsn at) {
  for (const std::uint32_t id : truncate.relations) {
    MISRULE_TRY(const Relation* relation, find(id));
    if (!is_wanted(*relation)) continue;
    model::Event event = begin_event(*relation, "TRUNCATE", at);
    event.set("data", model::Json{.text = "{}"});
    MISRULE_TRY_VOID(keep(std::move(event), 0));
  }
  return {};
}

Status WalTransactions::take(const pgoutput::WalPiece& data) {
  MISRULE_TRY(pgoutput::Message message, pgoutput::decode(data.message));
  if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) return take_begin(*begin);
  if (const auto* commit = std::get_if<pgoutput::Commit>(&message)) return take_commit(*commit);
  if (const auto* change = std::get_if<pgoutput::Change>(&message)) {
    return take_change(*change, data.start);
  }
  if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    return take_truncate(*truncate, data.start);
  }
  if (auto* relation = std::get_if<Relation>(&message)) return take_relation(std::move(*relation));
  return {};
}

void WalTransactions::connection_lost() {
  open_.reset();
  events_.clear();
  bytes_ = 0;
  relations_.clear();
}

}  // namespace misrule::controller
