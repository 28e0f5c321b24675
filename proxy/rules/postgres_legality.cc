#include "proxy/rules/postgres_legality.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "codecs/postgres/sqlstate.h"
#include "proxy/rules/detail_match.h"

namespace misrule::rules {
namespace {

namespace postgres = codecs::postgres;

constexpr std::string_view kInternalError = "XX000";

bool is_parameter_number(std::string_view number) {
  return !number.empty() && number.size() <= 5 && number.front() != '0' &&
         std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
}

// What a session goes through besides statements has no statement.
Status check_moment(const model::PostgresMatch& match) {
  if (match.moment() != "startup" && match.moment() != "idle") {
    return fail(Code::kInvalid,
                fmt::format("moment=\"{}\" is neither \"startup\" nor \"idle\"", match.moment()),
                "moment");
  }
  const std::pair<bool, std::string_view> said[] = {{match.has_query(), "query"},
                                                    {match.has_query_regex(), "query_regex"},
                                                    {match.has_statement(), "statement"},
                                                    {match.has_table(), "table"},
                                                    {match.has_schema(), "schema"},
                                                    {match.has_column(), "column"},
                                                    {match.has_prepared(), "prepared"},
                                                    {match.params_size() != 0, "params"},
                                                    {match.has_in_transaction(), "in_transaction"}};
  for (const auto& [is_said, field] : said) {
    if (!is_said) continue;
    return fail(Code::kInvalid,
                fmt::format("{}= is about statements, and moment=\"{}\" is none: user=, database= "
                            "and application_name= say which sessions are meant",
                            field, match.moment()),
                field);
  }
  return {};
}

bool is_plain(const google::protobuf::Value& value) {
  return !value.has_struct_value() && !value.has_list_value();
}

Status check_row(const google::protobuf::ListValue& row, int columns) {
  if (row.values_size() != columns) {
    return fail(
        Code::kInvalid,
        fmt::format("a row of {} values does not fit {} columns", row.values_size(), columns),
        "rows");
  }
  if (std::ranges::all_of(row.values(), is_plain)) return {};
  return fail(Code::kInvalid,
              "a value of a row is a list or a dict: give what a json or an array column holds as "
              "text",
              "rows");
}

Status check_respond(const model::Respond& respond) {
  const std::pair<bool, std::string_view> others[] = {{respond.has_value(), "value"},
                                                      {respond.has_status(), "status"},
                                                      {respond.has_body(), "body"},
                                                      {respond.headers_size() != 0, "headers"}};
  for (const auto& [is_said, field] : others) {
    if (!is_said) continue;
    return fail(
        Code::kInvalid,
        fmt::format("{}= is not for postgres: a reply is rows=, and tag= (\"INSERT 0 1\")", field),
        field);
  }
  constexpr std::size_t kTagBytesMax = 63;
  if (respond.tag().size() > kTagBytesMax || respond.tag().contains('\0')) {
    return fail(Code::kInvalid, "tag= is no command tag, such as \"INSERT 0 1\"", "tag");
  }
  constexpr int kColumnsMax = 1600;  // The server's own bound.
  if (respond.columns_size() > kColumnsMax) {
    return fail(Code::kInvalid, "more than 1600 columns, which no server sends", "rows");
  }
  for (const std::string& name : respond.columns()) {
    if (name.contains('\0')) return fail(Code::kInvalid, "a column's name has a NUL byte", "rows");
  }
  for (const auto& row : respond.rows()) {
    MISRULE_TRY_VOID(check_row(row, respond.columns_size()));
  }
  return {};
}

Status check_rewrite(const model::Rewrite& rewrite) {
  const std::pair<bool, std::string_view> others[] = {{rewrite.body_size() != 0, "body"},
                                                      {rewrite.headers_size() != 0, "headers"},
                                                      {rewrite.has_status(), "status"},
                                                      {rewrite.has_value(), "value"},
                                                      {rewrite.decode(), "decode"}};
  for (const auto& [is_said, field] : others) {
    if (!is_said) continue;
    return fail(Code::kInvalid,
                fmt::format("{}= is not for postgres, where rewrite() changes columns=", field),
                field);
  }
  if (rewrite.columns_size() == 0) {
    return fail(Code::kInvalid, "rewrite() wants columns={\"name\": value}", "columns");
  }
  for (const auto& [name, value] : rewrite.columns()) {
    if (is_plain(value)) continue;
    return fail(Code::kInvalid,
                fmt::format("column '{}' is to be a list or a dict: give it as text", name),
                "columns");
  }
  return {};
}

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
  for (const auto& [number, pattern] : match.params()) {
    if (is_parameter_number(number)) continue;
    return fail(
        Code::kInvalid,
        fmt::format("params= has the key \"{}\": parameters are numbered from 1, as in $1", number),
        "params");
  }
  return match.has_moment() ? check_moment(match) : Status();
}

Status legalise_postgres_error(model::ErrorReply& error) {
  if (error.has_status() || error.has_body()) {
    return fail(Code::kInvalid,
                "status= and body= are for http; a postgres error has message= and code= (an "
                "SQLSTATE such as \"40001\", or its name)",
                error.has_status() ? "status" : "body");
  }
  if (error.mode() == "mask" && error.has_after_rows()) {
    return fail(Code::kInvalid,
                "after_rows= has the server fail in the course of its reply; with mode=\"mask\" it "
                "succeeds",
                "after_rows");
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
  if (rule.has_respond()) return check_respond(rule.respond());
  return rule.has_rewrite() ? check_rewrite(rule.rewrite()) : Status();
}

Status check_postgres_moment(const model::Rule& rule) {
  const std::string& moment = rule.postgres().moment();
  if (!rule.postgres().has_moment()) return {};
  const bool ends =
      rule.has_drop() && (!rule.drop().has_mode() || rule.drop().mode() == "connection");
  const bool is_error =
      rule.has_error() && rule.error().mode() != "mask" && !rule.error().has_after_rows();
  const bool waits = (rule.has_delay() && rule.delay().side() != "reply") ||
                     (rule.has_hold() && rule.hold().side() != "reply");
  if ((ends && rule.drop().side() != "reply") || is_error) return {};
  if (moment == "startup" && waits) return {};
  return fail(Code::kInvalid,
              fmt::format("moment=\"{}\" has no statement and no reply: what can happen is error() "
                          "(told as FATAL, and the connection ends), drop(){}",
                          moment, moment == "startup" ? ", delay() and hold()" : ""),
              "moment");
}

}  // namespace misrule::rules
