#include "proxy/rules/action_legality.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/postgres/sqlstate.h"

namespace misrule::rules {
namespace {

using model::Protocol;
namespace postgres = codecs::postgres;

constexpr std::string_view kInternalError = "XX000";
constexpr std::uint64_t kDelayMaxUs = 24ULL * 3600 * 1'000'000;

Status check_error_mode(const model::ErrorReply& error) {
  const std::string& mode = error.mode();
  if (!error.has_mode() || mode == "reject") return {};
  if (mode == "mask" || mode == "fake") {
    const std::string_view meaning =
        mode == "mask" ? "the server does it and the client is told that it failed"
                       : "the server does nothing and the client is told that it succeeded";
    return fail(
        Code::kUnsupported,
        fmt::format("mode=\"{}\" ({}) comes with a later version; mode=\"reject\" is there: "
                    "the server does nothing and the client is told so",
                    mode, meaning),
        "mode");
  }
  return fail(Code::kInvalid,
              fmt::format("mode=\"{}\" is none of \"reject\", \"mask\", \"fake\"", mode), "mode");
}

// "serialization failure", where the rule gives no text.
std::string default_message(const std::optional<postgres::SqlCondition>& condition) {
  if (!condition.has_value()) return "injected error";
  std::string text(condition->name);
  std::ranges::replace(text, '_', ' ');
  return text;
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
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" is neither an SQLSTATE (five of 0-9 and A-Z, such as "
                            "\"40001\") nor a condition's name, such as \"serialization_failure\"",
                            error.code()),
                "code");
  }
  if (!postgres::is_error(code)) {
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" means success or a warning, which no error can carry",
                            error.code()),
                "code");
  }
  error.set_code(code);
  if (error.message().empty()) error.set_message(default_message(condition));
  return {};
}

bool has_no_body(std::uint32_t status) { return status == 204 || status == 205 || status == 304; }

Status legalise_http_error(model::ErrorReply& error) {
  if (error.has_code()) {
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" is for postgres; an http error has status=, such as "
                            "status=503",
                            error.code()),
                "code");
  }
  if (!error.has_status()) error.set_status(500);
  const std::uint32_t status = error.status();
  if (status >= 100 && status < 200) {
    return fail(Code::kInvalid,
                fmt::format("status={} only announces an answer, the client would wait on: use 200 "
                            "to 599",
                            status),
                "status");
  }
  if (status < 200 || status > 599) {
    return fail(Code::kInvalid, fmt::format("status={} is not within 200 to 599", status),
                "status");
  }
  if (has_no_body(status) && !(error.body().empty() && error.message().empty())) {
    return fail(
        Code::kInvalid,
        fmt::format("an answer with status={} has no body: leave body= and message= out", status),
        error.body().empty() ? "message" : "body");
  }
  return {};
}

Status legalise_error(Protocol protocol, model::ErrorReply& error) {
  MISRULE_TRY_VOID(check_error_mode(error));
  if (protocol == Protocol::kPostgres) return legalise_postgres_error(error);
  if (protocol == Protocol::kHttp) return legalise_http_error(error);
  return fail(Code::kInvalid,
              "error() needs a protocol in which a server can say no; plain tcp has none: use "
              "drop() or delay()");
}

Status check_delay(Protocol protocol, const model::Delay& delay) {
  if (delay.duration_us() == 0) {
    return fail(Code::kInvalid, "delay() of no time does nothing: give a duration such as \"3s\"",
                "duration");
  }
  if (delay.duration_us() > kDelayMaxUs) {
    return fail(Code::kInvalid, "delay() of more than 24 hours: use drop() to let nothing through",
                "duration");
  }
  if (!delay.has_side() || delay.side() == "request") return {};
  if (delay.side() != "reply") {
    return fail(Code::kInvalid,
                fmt::format("side=\"{}\" is neither \"request\" nor \"reply\"", delay.side()),
                "side");
  }
  if (protocol != Protocol::kTcp) return {};
  return fail(Code::kInvalid,
              "side=\"reply\" needs a protocol with replies; plain tcp has none: leave side= out",
              "side");
}

Status check_drop(const model::Drop& drop) {
  const std::string& mode = drop.mode();
  if (!drop.has_mode() || mode == "connection") return {};
  if (mode == "request" || mode == "reply" || mode == "blackhole") {
    return fail(Code::kUnsupported,
                fmt::format("drop(mode=\"{}\") comes with a later version; mode=\"connection\" is "
                            "there: the connection ends in place of the answer",
                            mode),
                "mode");
  }
  return fail(Code::kInvalid,
              fmt::format("mode=\"{}\" is none of \"connection\", \"request\", \"reply\", "
                          "\"blackhole\"",
                          mode),
              "mode");
}

}  // namespace

Status legalise_action(Protocol protocol, model::Rule& rule) {
  switch (rule.action_case()) {
    case model::Rule::kError:
      return legalise_error(protocol, *rule.mutable_error());
    case model::Rule::kDelay:
      return check_delay(protocol, rule.delay());
    case model::Rule::kDrop:
      return check_drop(rule.drop());
    case model::Rule::kDeny:
      return fail(Code::kInvalid,
                  "deny() fails a system call and needs one: connect=deny(\"ECONNREFUSED\"); what "
                  "a server answers is error(), and drop() ends the connection");
    case model::Rule::ACTION_NOT_SET:
      break;
  }
  return fail(Code::kInvalid, "the rule has no action: error(), delay() or drop()");
}

}  // namespace misrule::rules
