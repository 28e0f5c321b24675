#include "controller/steps/postgres_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include "controller/steps/own_connections.h"

namespace misrule::controller {

std::string first_line(const char* text) {
  std::string line(text);
  line.erase(std::min(line.find('\n'), line.size()));
  return line;
}

namespace {

bool is_address(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos ||
         host.find(':') != std::string::npos;
}

PGconn* begin_connect(const PostgresLogin& login, const StepTarget& target) {
  const std::string port = fmt::format("{}", target.port);
  const std::string& user = login.user.empty() ? target.user : login.user;
  const std::string& database = login.database.empty() ? target.database : login.database;
  // Everything that the environment (PGOPTIONS, ~/.pgpass) could change is said here.
  const std::array<std::pair<const char*, const char*>, 12> settings = {{
      {is_address(target.host) ? "hostaddr" : "host", target.host.c_str()},
      {"port", port.c_str()},
      {"user", user.empty() ? "postgres" : user.c_str()},
      {"password", target.password.c_str()},
      {"dbname", database.empty() ? (user.empty() ? "postgres" : user.c_str()) : database.c_str()},
      {"options", login.options.c_str()},
      {"passfile", "/dev/null/none"},  // A file that is there and no plain one is complained of.
      {"sslmode", "disable"},
      {"gssencmode", "disable"},
      {"client_encoding", "UTF8"},
      {"application_name", login.application.c_str()},
      {"replication", login.replication ? "database" : ""},
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

}  // namespace

Result<PostgresConnection> connect_postgres(const PostgresLogin& login, const StepTarget& target,
                                            const Patience& patience) {
  PostgresConnection connection(begin_connect(login, target), &::PQfinish);
  MISRULE_TRY_VOID(finish_connect(connection.get(), patience));
  ::PQsetnonblocking(connection.get(), 1);
  // libpq would write notices to our standard error.
  ::PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

Status flush_postgres(PGconn* connection, const Patience& patience) {
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

Result<PostgresResult> next_postgres_result(PGconn* connection, const Patience& patience) {
  while (::PQisBusy(connection) != 0) {
    MISRULE_TRY_VOID(wait_ready(::PQsocket(connection), POLLIN, patience));
    // On failure PQgetResult has the reason.
    if (::PQconsumeInput(connection) == 0) break;
  }
  return PostgresResult(::PQgetResult(connection), &::PQclear);
}

}  // namespace misrule::controller
