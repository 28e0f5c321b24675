#pragma once

// A libpq connection whose waits are bounded and can be interrupted, in every state.

#include <memory>
#include <string>

#include <libpq-fe.h>

#include "base/result.h"
#include "controller/steps/steps.h"
#include "controller/steps/waiting.h"

namespace misrule::controller {

using PostgresConnection = std::unique_ptr<PGconn, decltype(&::PQfinish)>;
using PostgresResult = std::unique_ptr<PGresult, decltype(&::PQclear)>;

/// What StepTarget does not say. Empty: the target's.
struct PostgresLogin {
  std::string user = {};
  std::string database = {};
  std::string application = "misrule-test";
  std::string options = " ";  ///< Of the server, "-c name=value"; never the environment's.
  bool replication = false;
};

/// kRefused if nobody listens; else what libpq said, with the SQLSTATE in it.
Result<PostgresConnection> connect_postgres(const PostgresLogin& login, const StepTarget& target,
                                            const Patience& patience);

/// Everything that was queued is sent.
Status flush_postgres(PGconn* connection, const Patience& patience);
/// The next result; null at the end.
Result<PostgresResult> next_postgres_result(PGconn* connection, const Patience& patience);

/// libpq adds advice after the first line; a test's report has no use for it.
std::string first_line(const char* text);

}  // namespace misrule::controller
