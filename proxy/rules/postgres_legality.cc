#include "proxy/rules/postgres_legality.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "codecs/postgres/sqlstate.h"
#include "proxy/rules/detail_match.h"

namespace misrule::rules {
namespace {

namespace postgres = codecs::postgres;

constexpr std::string_view kInternalError = "XX000";

// "serialization failure", where the rule gives no text.
std::string default_message(const std::optional<postgres::SqlCondition>& condition) {
  if (!condition.has_value()) return "injected error";
  std::string text(condition->name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

}  // namespace

Status check_postgres_match(const model::PostgresMatch& match) {
  const bool blank =
      match.has_query() && match.query().find_first_not_of(" \t\r\n;") == std::string::npos;
  if (blank) {
    return fail(Code::kInvalid,
                "query=\"\" can never match: give a glob such as \"INSERT INTO orders*\", or leave "
                "query= out for every statement",
                "query");
  }
  if (match.has_query_regex()) MISRULE_TRY_VOID(check_regex(match.query_regex()));
  return {};
}

Status legalise_postgres_error(model::ErrorReply& error) {
  if (error.has_status() || error.has_body()) {
    return fail(Code::kInvalid,
                "status= and body= are for http; a postgres error has message= and code= (an "
                "SQLSTATE such as \"40001\", or its name)",
                error.has_status() ? "status" : "body");
  }
  if (error.message().find('\0') != std::string::npos) {
    return fail(Code::kInvalid, "message= contains a NUL byte, which ends a text in postgres",
                "message");
  }
  if (!error.has_code()) {
    const auto named = postgres::condition_in_message(error.message());
    error.set_code(std::string(named.has_value() ? named->code : kInternalError));
  }
  const auto condition = postgres::find_condition(error.code());
  const std::string code = condition.has_value() ? std::string(condition->code) : error.code();
  if (!postgres::is_sqlstate(code)) {
    return fail(
        Code::kInvalid,
        fmt::format("code=\"{}\" is neither an SQLSTATE (five of 0-9 and A-Z, such as "
                    "\"40001\") nor a condition's name, such as \"serialization_failure\"{}",
                    error.code(), postgres::did_you_mean_condition(error.code())),
        "code");
  }
  if (!postgres::is_error(code)) {
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" means success or a warning, which no error can carry",
                            error.code()),
                "code");
  }
  if (error.mode() == "mask" && postgres::ends_connection(code)) {
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" ends the connection: drop(side=\"reply\") ends it in the "
                            "place of a reply",
                            code),
                "code");
  }
  error.set_code(code);
  if (error.message().empty()) error.set_message(default_message(condition));
  return {};
}

Status legalise_postgres_action(model::Rule& rule) {
  if (rule.has_hold()) return {};
  return fail(Code::kUnsupported, "this action is not there for postgres yet");
}

}  // namespace misrule::rules
