// SQL by libpq's non-blocking calls, so that a timeout and an interrupt work in every state.
//
// Not done: COPY, TLS.

#include "controller/steps/postgres_client.h"

#include <algorithm>

#include <libpq-fe.h>

#include "controller/steps/postgres_connection.h"
#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

constexpr std::size_t kRowsBytesMax = std::size_t{64} << 20U;

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

/// 'connection to server at "127.0.0.1", port 37587 failed: FATAL:  28P01: no' as people know the
/// server, and with the SQLSTATE in its place. libpq gives it in the text alone.
dsl::StepReply refusal_reply(const std::string& what, const StepTarget& target) {
  constexpr std::string_view kFailed = " failed: ";
  const std::size_t failed = what.find(kFailed);
  if (!what.starts_with("connection to server at ") || failed == std::string::npos) {
    return {.error = what};
  }
  dsl::StepReply reply;
  std::string why = what.substr(failed + kFailed.size());
  const std::size_t gap = why.find(":  ");
  if (gap != std::string::npos && is_sqlstate(std::string_view(why).substr(gap + 3, 5))) {
    reply.code = why.substr(gap + 3, 5);
    why.erase(gap + 3, 7);
    why.erase(gap + 1, 1);
  }
  const std::string address =
      target.authority.empty() ? fmt::format("{}:{}", target.host, target.port) : target.authority;
  reply.error = fmt::format("connection to server at {} failed: {}", address, why);
  return reply;
}

/// Gathers rows, and what the last statement said.
class ReplyBuilder {
 public:
  explicit ReplyBuilder(bool wants_rows) : wants_rows_(wants_rows) {}

  Status add(const PGresult* result);
  dsl::StepReply finish();

 private:
  Status add_rows(const PGresult* result);
  void end_statement(const PGresult* result);
  void set_error(const PGresult* result);

  bool wants_rows_;
  dsl::StepReply reply_ = {.ok = true};
  std::vector<std::string> names_;
  std::string rows_;
};

Status ReplyBuilder::add(const PGresult* result) {
  switch (::PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
      return add_rows(result);
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      end_statement(result);
      return {};
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return fail(Code::kUnsupported, "COPY from or to the client is not possible in a step");
    default:
      set_error(result);
      return {};
  }
}

Status ReplyBuilder::add_rows(const PGresult* result) {
  const int columns = ::PQnfields(result);
  if (names_.empty()) {
    for (int c = 0; c < columns; ++c) names_.emplace_back(::PQfname(result, c));
    names_ = unique_names(names_);
  }
  rows_ += rows_.empty() ? "{" : ",{";
  for (int c = 0; c < columns; ++c) {
    if (c > 0) rows_ += ',';
    append_json_string(rows_, names_[static_cast<std::size_t>(c)]);
    rows_ += ':';
    if (::PQgetisnull(result, 0, c) != 0) {
      rows_ += "null";
      continue;
    }
    const auto size = static_cast<std::size_t>(::PQgetlength(result, 0, c));
    append_value_json(rows_, ::PQftype(result, c), {::PQgetvalue(result, 0, c), size});
  }
  rows_ += '}';
  if (rows_.size() > kRowsBytesMax) {
    return fail(Code::kLimit, fmt::format("the rows exceed {} bytes", kRowsBytesMax));
  }
  return {};
}

void ReplyBuilder::end_statement(const PGresult* result) {
  // PQcmdTuples wants a non-const pointer and changes nothing.
  const std::string count = ::PQcmdTuples(const_cast<PGresult*>(result));
  reply_.body = ::PQcmdStatus(const_cast<PGresult*>(result));
  reply_.data.text = wants_rows_ ? "[" + rows_ + "]" : (count.empty() ? "0" : count);
  rows_.clear();
  names_.clear();
}

void ReplyBuilder::set_error(const PGresult* result) {
  const char* primary = ::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* code = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
  reply_.ok = false;
  reply_.error = primary != nullptr ? primary : first_line(::PQresultErrorMessage(result));
  reply_.code = code != nullptr ? code : "";
}

dsl::StepReply ReplyBuilder::finish() {
  if (!reply_.ok) {
    reply_.data.text.clear();
    reply_.body = reply_.error;
  }
  return std::move(reply_);
}

bool send_query(PGconn* connection, const dsl::SqlStep& step) {
  if (step.params.empty()) return ::PQsendQuery(connection, step.sql.c_str()) != 0;
  std::vector<const char*> values;
  for (const auto& param : step.params) values.push_back(param ? param->c_str() : nullptr);
  return ::PQsendQueryParams(connection, step.sql.c_str(), static_cast<int>(values.size()), nullptr,
                             values.data(), nullptr, nullptr, 0) != 0;
}

Result<dsl::StepReply> query(PGconn* connection, const dsl::SqlStep& step,
                             const Patience& patience) {
  ::PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  if (!send_query(connection, step)) {
    return fail(Code::kIo, first_line(::PQerrorMessage(connection)));
  }
  ::PQsetSingleRowMode(connection);  // Row by row, so that a huge result meets its bound.
  MISRULE_TRY_VOID(flush_postgres(connection, patience));
  ReplyBuilder builder(step.wants_rows);
  for (;;) {
    MISRULE_TRY(const PostgresResult result, next_postgres_result(connection, patience));
    if (result == nullptr) return builder.finish();
    MISRULE_TRY_VOID(builder.add(result.get()));
  }
}

}  // namespace

dsl::StepReply run_sql(const dsl::SqlStep& step, const StepTarget& target,
                       const Patience& patience) {
  if (step.sql.find('\0') != std::string::npos) {
    return {.error = "SQL text cannot contain a NUL character"};
  }
  const auto connection =
      connect_postgres({.user = step.user, .database = step.database}, target, patience);
  if (!connection) return refusal_reply(connection.error().what, target);
  auto reply = query(connection->get(), step, patience);
  if (!reply) return {.error = reply.error().what};
  return *std::move(reply);
}

}  // namespace misrule::controller
