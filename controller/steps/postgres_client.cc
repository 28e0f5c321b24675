// SQL by libpq's non-blocking calls, so that a timeout and an interrupt work in every state.
//
// Not done: parameters, COPY, TLS.

#include "controller/steps/postgres_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include <libpq-fe.h>
#include <poll.h>

#include "controller/steps/own_connections.h"
#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

constexpr std::size_t kRowsBytesMax = std::size_t{64} << 20U;

using Connection = std::unique_ptr<PGconn, decltype(&::PQfinish)>;
using PgResult = std::unique_ptr<PGresult, decltype(&::PQclear)>;

/// libpq adds advice after the first line; a test's report has no use for it.
std::string first_line(const char* text) {
  std::string line(text);
  line.erase(std::min(line.find('\n'), line.size()));
  return line;
}

bool is_address(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos ||
         host.find(':') != std::string::npos;
}

PGconn* begin_connect(const dsl::SqlStep& step, const StepTarget& target) {
  const std::string port = fmt::format("{}", target.port);
  const std::string& user = step.user.empty() ? target.user : step.user;
  const std::string& database = step.database.empty() ? target.database : step.database;
  // Everything that the environment (PGOPTIONS, ~/.pgpass) could change is said here.
  const std::array<std::pair<const char*, const char*>, 11> settings = {{
      {is_address(target.host) ? "hostaddr" : "host", target.host.c_str()},
      {"port", port.c_str()},
      {"user", user.empty() ? "postgres" : user.c_str()},
      {"password", target.password.c_str()},
      {"dbname", database.empty() ? (user.empty() ? "postgres" : user.c_str()) : database.c_str()},
      {"options", " "},
      {"passfile", "/dev/null"},
      {"sslmode", "disable"},
      {"gssencmode", "disable"},
      {"client_encoding", "UTF8"},
      {"application_name", "misrule-test"},
  }};
  std::array<const char*, settings.size() + 1> names = {};
  std::array<const char*, settings.size() + 1> values = {};
  for (std::size_t i = 0; i < settings.size(); ++i) {
    names[i] = settings[i].first;
    values[i] = settings[i].second;
  }
  // Connects to an address without waiting for the answer.
  const auto start = [&] { return ::PQconnectStartParams(names.data(), values.data(), 0); };
  if (target.proxied) return start();
  OwnConnections::Opening opening(OwnConnections::of_this_process());
  PGconn* connection = start();
  opening.started(::PQsocket(connection), target.port);
  return connection;
}

std::unexpected<Error> connect_failed(const PGconn* connection) {
  std::string what = first_line(::PQerrorMessage(connection));
  const bool refused = what.find("Connection refused") != std::string::npos;
  return fail(refused ? Code::kRefused : Code::kIo, std::move(what));
}

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

Status finish_connect(PGconn* connection, const Patience& patience) {
  if (::PQstatus(connection) == CONNECTION_BAD) return connect_failed(connection);
  ::PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);  // With the SQLSTATE.
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    const short poll_events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    MISRULE_TRY_VOID(wait_ready(::PQsocket(connection), poll_events, patience));
    wanted = ::PQconnectPoll(connection);
    if (wanted == PGRES_POLLING_FAILED) return connect_failed(connection);
  }
  return {};
}

Status send_all(PGconn* connection, const Patience& patience) {
  for (;;) {
    const int left = ::PQflush(connection);
    if (left < 0) return fail(Code::kIo, first_line(::PQerrorMessage(connection)));
    if (left == 0) return {};
    MISRULE_TRY_VOID(wait_ready(::PQsocket(connection), POLLIN | POLLOUT, patience));
    if (::PQconsumeInput(connection) == 0) {
      return fail(Code::kIo, first_line(::PQerrorMessage(connection)));
    }
  }
}

/// The next result; null at the end.
Result<PgResult> next_result(PGconn* connection, const Patience& patience) {
  while (::PQisBusy(connection) != 0) {
    MISRULE_TRY_VOID(wait_ready(::PQsocket(connection), POLLIN, patience));
    // On failure PQgetResult has the reason.
    if (::PQconsumeInput(connection) == 0) break;
  }
  return PgResult(::PQgetResult(connection), &::PQclear);
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

Result<dsl::StepReply> query(PGconn* connection, const dsl::SqlStep& step,
                             const Patience& patience) {
  ::PQsetnonblocking(connection, 1);
  ::PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  // libpq would write notices to our standard error.
  ::PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  if (::PQsendQuery(connection, step.sql.c_str()) == 0) {
    return fail(Code::kIo, first_line(::PQerrorMessage(connection)));
  }
  ::PQsetSingleRowMode(connection);  // Row by row, so that a huge result meets its bound.
  MISRULE_TRY_VOID(send_all(connection, patience));
  ReplyBuilder builder(step.wants_rows);
  for (;;) {
    MISRULE_TRY(const PgResult result, next_result(connection, patience));
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
  const Connection connection(begin_connect(step, target), &::PQfinish);
  if (auto connected = finish_connect(connection.get(), patience); !connected) {
    return refusal_reply(connected.error().what, target);
  }
  auto reply = query(connection.get(), step, patience);
  if (!reply) return {.error = reply.error().what};
  return *std::move(reply);
}

}  // namespace misrule::controller
