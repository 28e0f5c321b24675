#include "controller/observe/wal_slot.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace misrule::controller {
namespace {

// {0} is kWalName. `usable` is pg_class.relreplident of tables whose rows can be told apart.
constexpr const char* kMake = R"(
CREATE SCHEMA {0};
CREATE FUNCTION {0}.identify(one oid) RETURNS void LANGUAGE plpgsql AS $$BEGIN
  IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = one AND c.relkind = 'r' AND c.relpersistence = 'p'
               AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
               AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS
                    (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)))
  THEN EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', one::regclass); END IF;
END$$;
CREATE FUNCTION {0}.identify_new() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$BEGIN
  PERFORM {0}.identify(d.objid) FROM pg_event_trigger_ddl_commands() d
    WHERE d.classid = 'pg_class'::regclass AND d.objid IS NOT NULL;
END$$;
SELECT {0}.identify(oid) FROM pg_class WHERE relkind = 'r';
CREATE EVENT TRIGGER {0} ON ddl_command_end EXECUTE FUNCTION {0}.identify_new();
ALTER EVENT TRIGGER {0} ENABLE ALWAYS;
CREATE PUBLICATION {0} FOR ALL TABLES)";

constexpr const char* kRemove = R"(
DROP PUBLICATION IF EXISTS {0};
DROP EVENT TRIGGER IF EXISTS {0};
DROP SCHEMA IF EXISTS {0} CASCADE)";

constexpr const char* kRemoveSlot =
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{0}'";

/// The last statement's result.
Result<PostgresResult> run(PGconn* connection, const std::string& sql, const Patience& patience) {
  if (::PQsendQuery(connection, sql.c_str()) == 0) {
    return fail(Code::kIo, first_line(::PQerrorMessage(connection)));
  }
  MISRULE_TRY_VOID(flush_postgres(connection, patience));
  PostgresResult last(nullptr, &::PQclear);
  Status status = {};
  for (;;) {
    MISRULE_TRY(PostgresResult result, next_postgres_result(connection, patience));
    if (result == nullptr) break;
    const ExecStatusType kind = ::PQresultStatus(result.get());
    const bool is_good = kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK;
    if (!is_good && status) status = std::unexpected(postgres_error(result.get()));
    last = std::move(result);
  }
  if (!status) return std::unexpected(std::move(status).error());
  if (last == nullptr) return fail(Code::kIo, "the server answered nothing");
  return last;
}

std::string cell(const PostgresResult& result, int column = 0) {
  return ::PQntuples(result.get()) > 0 && ::PQnfields(result.get()) > column
             ? ::PQgetvalue(result.get(), 0, column)
             : "";
}

Result<pgoutput::Lsn> lsn_of(const PostgresResult& result) {
  const std::string text = cell(result);
  const auto lsn = pgoutput::lsn_from_text(text);
  if (!lsn) return fail(Code::kInvalid, fmt::format("{:?} is no position in a WAL", text));
  return *lsn;
}

Status check_server(PGconn* connection, const Patience& patience) {
  MISRULE_TRY(
      const PostgresResult said,
      run(connection, "SELECT current_setting('wal_level'), current_setting('is_superuser')",
          patience));
  if (const std::string level = cell(said); level != "logical") {
    return fail(Code::kUnsupported,
                fmt::format("the server has wal_level={}, and wal_stream() needs "
                            "wal_level=logical: start it with -c wal_level=logical",
                            level));
  }
  if (cell(said, 1) == "on") return {};
  return fail(
      Code::kUnsupported,
      fmt::format("the role {} is no superuser, and wal_stream() publishes all tables: give "
                  "the service's env a POSTGRES_USER that is one",
                  ::PQuser(connection)));
}

}  // namespace

Error postgres_error(const PGresult* result) {
  const char* code = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* text = ::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return {.code = Code::kIo,
          .what = fmt::format("{}: {}", code == nullptr ? "08006" : code,
                              text == nullptr ? first_line(::PQresultErrorMessage(result)) : text)};
}

bool is_final(const Error& error) {
  if (error.code != Code::kIo) return error.code != Code::kTimeout && error.code != Code::kRefused;
  // What a restart, an old connection or a fault on a file brings passes; that something is gone,
  // or not allowed, does not.
  constexpr std::array<std::string_view, 3> kClasses = {"42", "55000", "28"};
  return std::ranges::any_of(kClasses,
                             [&](std::string_view one) { return error.what.starts_with(one); });
}

Result<pgoutput::Lsn> make_wal_slot(PGconn* connection, const Patience& patience) {
  MISRULE_TRY_VOID(check_server(connection, patience));
  MISRULE_TRY_VOID(remove_wal_slot(connection, patience));
  MISRULE_TRY_VOID(run(connection, fmt::format(kMake, kWalName), patience));
  MISRULE_TRY(
      const PostgresResult made,
      run(connection,
          fmt::format("SELECT lsn FROM pg_create_logical_replication_slot('{}', 'pgoutput')",
                      kWalName),
          patience));
  return lsn_of(made);
}

Status remove_wal_slot(PGconn* connection, const Patience& patience) {
  MISRULE_TRY_VOID(run(connection, fmt::format(kRemoveSlot, kWalName), patience));
  MISRULE_TRY_VOID(run(connection, fmt::format(kRemove, kWalName), patience));
  return {};
}

Result<pgoutput::Lsn> flushed_lsn(PGconn* connection, const Patience& patience) {
  MISRULE_TRY(const PostgresResult said,
              run(connection, "SELECT pg_current_wal_flush_lsn()", patience));
  return lsn_of(said);
}

Status start_replication(PGconn* connection, pgoutput::Lsn from, const Patience& patience) {
  const std::string command = fmt::format(
      "START_REPLICATION SLOT {0} LOGICAL {1} (proto_version '1', publication_names '{0}')",
      kWalName, pgoutput::lsn_text(from));
  if (::PQsendQuery(connection, command.c_str()) == 0) {
    return fail(Code::kIo, first_line(::PQerrorMessage(connection)));
  }
  MISRULE_TRY_VOID(flush_postgres(connection, patience));
  MISRULE_TRY(const PostgresResult result, next_postgres_result(connection, patience));
  if (::PQresultStatus(result.get()) == PGRES_COPY_BOTH) return {};
  return std::unexpected(postgres_error(result.get()));
}

}  // namespace misrule::controller
