#include "proxy/rules/http_legality.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "codecs/http/json_path.h"
#include "codecs/http/path.h"
#include "proxy/rules/words.h"

namespace misrule::rules {
namespace {

bool is_method_token(std::string_view method) {
  constexpr std::string_view kSpecial = "!#$%&'*+-.^_`|~";
  return !method.empty() && std::ranges::all_of(method, [&](char c) {
    return (c >= '0' && c <= '9') || !first_word({&c, 1}).empty() ||
           kSpecial.find(c) != std::string_view::npos;
  });
}

// "/../": a spelling that the normal form of a path does not have. With an encoded byte in it the
// pattern is about the path as it was sent.
bool is_unlike_any_path(std::string_view pattern) {
  if (codecs::http::has_encoded_byte(pattern)) return false;
  return pattern.find("/../") != std::string_view::npos ||
         pattern.find("/./") != std::string_view::npos;
}

bool has_no_body(std::uint32_t status) { return status == 204 || status == 205 || status == 304; }

bool is_field_name(std::string_view name) { return is_method_token(name); }

bool is_field_value(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// What frames a message is the proxy's to say; corrupt(framing=True) says it wrongly.
bool is_framing(std::string_view name) {
  constexpr std::string_view kFraming[] = {"content-length", "transfer-encoding", "connection",
                                           "upgrade",        "trailer",           "keep-alive"};
  return std::ranges::any_of(
      kFraming, [&](std::string_view known) { return in_capitals(name) == in_capitals(known); });
}

Status check_field(std::string_view name, std::string_view value) {
  if (!is_field_name(name)) {
    return fail(Code::kInvalid, fmt::format("headers= has \"{}\", which is no field's name", name),
                "headers");
  }
  if (is_framing(name)) {
    return fail(
        Code::kInvalid,
        fmt::format("headers= cannot say {}: it follows from the body; corrupt(framing=True) "
                    "makes it wrong",
                    name),
        "headers");
  }
  if (is_field_value(value)) return {};
  return fail(Code::kInvalid, fmt::format("the value of {} in headers= has a line break", name),
              "headers");
}

Status check_status(std::uint32_t status) {
  if (status >= 100 && status < 200) {
    return fail(Code::kInvalid,
                fmt::format("status={} only announces an answer, the client would wait on: use 200 "
                            "to 599",
                            status),
                "status");
  }
  if (status >= 200 && status <= 599) return {};
  return fail(Code::kInvalid, fmt::format("status={} is not within 200 to 599", status), "status");
}

Status check_message_match(const model::HttpMatch& match) {
  if (match.has_websocket() && match.has_sse()) {
    return fail(Code::kInvalid, "websocket= and sse= are about different messages: say one", "sse");
  }
  if (match.has_direction() && !match.has_websocket()) {
    return fail(Code::kInvalid, "direction= says which way a message of websocket= goes",
                "direction");
  }
  const std::string& direction = match.direction();
  if (match.has_direction() && direction != "to_server" && direction != "to_client") {
    return fail(
        Code::kInvalid,
        fmt::format("direction=\"{}\" is neither \"to_server\" nor \"to_client\"", direction),
        "direction");
  }
  const bool is_message = match.has_websocket() || match.has_sse();
  if (is_message && match.has_reply_status()) {
    return fail(Code::kInvalid,
                "reply_status= is about replies, websocket= and sse= about messages: say one",
                "reply_status");
  }
  return {};
}

Status check_details(const model::HttpMatch& match) {
  for (const auto& [name, pattern] : match.headers()) {
    if (is_field_name(name)) continue;
    return fail(Code::kInvalid, fmt::format("header= has \"{}\", which is no field's name", name),
                "header");
  }
  if (match.host().find('/') != std::string::npos) {
    return fail(
        Code::kInvalid,
        fmt::format("host=\"{}\" can never match: it is the name and port alone", match.host()),
        "host");
  }
  const std::string& status = match.reply_status();
  const bool can_be = status.find_first_not_of("0123456789*?[]-^!") == std::string::npos;
  if (match.has_reply_status() && (!can_be || status.empty())) {
    return fail(
        Code::kInvalid,
        fmt::format("reply_status=\"{}\" can never match: it is a status such as \"503\" or "
                    "\"5*\"",
                    status),
        "reply_status");
  }
  return check_message_match(match);
}

}  // namespace

Status check_http_match(const model::HttpMatch& match) {
  if (match.has_method() && !is_method_token(match.method())) {
    return fail(Code::kInvalid,
                fmt::format("method=\"{}\" is no HTTP method, such as GET or POST", match.method()),
                "method");
  }
  MISRULE_TRY_VOID(check_details(match));
  if (!match.has_path()) return {};
  const std::string& path = match.path();
  const bool can_start = path.starts_with('/') || path.starts_with('*') || path.starts_with('?');
  if (!can_start) {
    return fail(Code::kInvalid,
                fmt::format("path=\"{}\" can never match: paths begin with a slash; did you mean "
                            "\"/{}\"?",
                            path, path),
                "path");
  }
  if (is_unlike_any_path(path)) {
    return fail(Code::kInvalid,
                fmt::format("path=\"{}\" can never match: paths are compared without dot segments "
                            "(a pattern with an encoded byte, such as %2E, is compared with the "
                            "path as it was sent)",
                            path),
                "path");
  }
  const std::size_t mark = path.find('?');
  if (mark != std::string::npos && path.find('=', mark) != std::string::npos) {
    return fail(Code::kInvalid,
                fmt::format("path=\"{}\" can never match: path= is compared with the path alone, "
                            "without the query string; write path=\"{}\"",
                            path, path.substr(0, mark)),
                "path");
  }
  return {};
}

namespace {

// A close code that an endpoint may send (RFC 6455, 7.4).
Status legalise_websocket_error(model::ErrorReply& error) {
  constexpr std::uint32_t kInternalError = 1011;
  constexpr std::size_t kReasonMax = 123;
  if (!error.has_status()) error.set_status(kInternalError);
  const std::uint32_t code = error.status();
  const bool reserved = code == 1004 || code == 1005 || code == 1006 || code == 1015;
  if (code < 1000 || code > 4999 || reserved) {
    return fail(Code::kInvalid,
                fmt::format("status={} is no close code: a WebSocket is closed with 1000 to 4999, "
                            "such as 1011",
                            code),
                "status");
  }
  const std::string& reason = error.has_body() ? error.body() : error.message();
  if (reason.size() <= kReasonMax) return {};
  return fail(Code::kInvalid, "a WebSocket's closing reason has at most 123 bytes",
              error.has_body() ? "body" : "message");
}

Status check_respond(const model::Respond& respond) {
  if (respond.columns_size() != 0 || respond.rows_size() != 0 || respond.has_tag()) {
    return fail(Code::kInvalid,
                "rows= and tag= are for postgres; http has status=, body=, headers=",
                respond.has_tag() ? "tag" : "rows");
  }
  if (respond.has_value()) {
    return fail(Code::kInvalid, "value= is for redis; http has status=, body=, headers=", "value");
  }
  const std::uint32_t status = respond.has_status() ? respond.status() : 200;
  MISRULE_TRY_VOID(check_status(status));
  if (has_no_body(status) && !respond.body().empty()) {
    return fail(Code::kInvalid, fmt::format("an answer with status={} has no body", status),
                "body");
  }
  for (const auto& [name, value] : respond.headers()) MISRULE_TRY_VOID(check_field(name, value));
  return {};
}

Status check_rewritten_headers(const model::Rewrite& rewrite) {
  for (const auto& [name, value] : rewrite.headers()) {
    if (value.has_struct_value() || value.has_list_value()) {
      return fail(Code::kInvalid, fmt::format("headers= gives {} a list or a dict", name),
                  "headers");
    }
    MISRULE_TRY_VOID(check_field(name, value.string_value()));
  }
  return {};
}

Status check_rewrite(const model::Rewrite& rewrite) {
  if (rewrite.columns_size() != 0) {
    return fail(Code::kInvalid,
                "columns= is for postgres; http has body=, headers=, status=", "columns");
  }
  if (rewrite.has_value()) {
    return fail(Code::kInvalid, "value= is for redis; http has body=, headers=, status=", "value");
  }
  if (rewrite.body_size() == 0 && rewrite.headers_size() == 0 && !rewrite.has_status()) {
    return fail(
        Code::kInvalid,
        "rewrite() of nothing does nothing: say body={\"$.items[0].price\": 0}, headers= or "
        "status=");
  }
  for (const auto& [place, value] : rewrite.body()) {
    if (auto path = codecs::http::parse_json_path(place); !path) {
      return std::unexpected(std::move(path).error());
    }
  }
  if (rewrite.decode() && rewrite.body_size() == 0) {
    return fail(Code::kInvalid, "decode=True is for body=, which is looked for in the plain text",
                "decode");
  }
  MISRULE_TRY_VOID(check_rewritten_headers(rewrite));
  if (!rewrite.has_status()) return {};
  MISRULE_TRY_VOID(check_status(rewrite.status()));
  if (!has_no_body(rewrite.status()) || rewrite.body_size() == 0) return {};
  return fail(Code::kInvalid, fmt::format("an answer with status={} has no body", rewrite.status()),
              "body");
}

std::string_view side_of(const model::Rule& rule) {
  switch (rule.action_case()) {
    case model::Rule::kDelay:
      return rule.delay().side();
    case model::Rule::kDrop:
      return rule.drop().side();
    case model::Rule::kCorrupt:
      return rule.corrupt().side();
    case model::Rule::kTruncate:
      return rule.truncate().side();
    default:
      return rule.hold().side();
  }
}

Status check_of_message(const model::Rule& rule) {
  const bool sse = rule.http().has_sse();
  const std::string_view what = sse ? "sse=" : "websocket=";
  const bool possible = rule.has_delay() || rule.has_drop() || rule.has_duplicate() ||
                        rule.has_corrupt() || rule.has_hold() || (rule.has_error() && !sse);
  if (!possible) {
    return fail(Code::kInvalid,
                fmt::format("{} is about messages, which delay(), hold(), drop(), duplicate() and "
                            "corrupt(){} can befall",
                            what, sse ? "" : ", and error(status=1011)"));
  }
  if (sse && rule.corrupt().framing()) {
    return fail(
        Code::kInvalid,
        "corrupt() changes the data of an event; framing=True is for whole replies, without "
        "sse=",
        "framing");
  }
  if (!side_of(rule).empty()) {
    return fail(Code::kInvalid,
                fmt::format("side= is about requests and replies, {} about messages{}", what,
                            sse ? "" : ": direction= says which way they go"),
                "side");
  }
  if (!rule.drop().has_mode()) return {};
  return fail(Code::kInvalid,
              fmt::format("drop() loses the message of {}; a mode has no meaning for it, and "
                          "reset() ends the connection",
                          what),
              "mode");
}

Status check_of_reply(const model::Rule& rule) {
  const std::string& mode = rule.drop().mode();
  if (mode == "request" || mode == "blackhole") {
    return fail(Code::kInvalid,
                fmt::format("reply_status= is about replies: mode=\"{}\" would lose the request, "
                            "which the server has answered",
                            mode),
                "mode");
  }
  if (rule.has_duplicate()) {
    return fail(Code::kInvalid,
                "duplicate() sends a request twice, and reply_status= is known when the server has "
                "answered",
                "reply_status");
  }
  if (rule.error().mode() == "reject") {
    return fail(
        Code::kInvalid,
        "reply_status= is about what the server did: mode=\"reject\" would have kept it from "
        "that",
        "mode");
  }
  const bool of_request = (rule.has_corrupt() || rule.has_truncate()) && side_of(rule) == "request";
  if (!of_request) return {};
  return fail(Code::kInvalid, "reply_status= is known when the request has passed: leave side= out",
              "side");
}

}  // namespace

Status legalise_http_error(model::Rule& rule) {
  model::ErrorReply& error = *rule.mutable_error();
  if (error.has_code()) {
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" is for postgres; an http error has status=, such as "
                            "status=503",
                            error.code()),
                "code");
  }
  if (rule.http().has_websocket()) return legalise_websocket_error(error);
  if (!error.has_status()) error.set_status(500);
  const std::uint32_t status = error.status();
  MISRULE_TRY_VOID(check_status(status));
  if (has_no_body(status) && !(error.body().empty() && error.message().empty())) {
    return fail(
        Code::kInvalid,
        fmt::format("an answer with status={} has no body: leave body= and message= out", status),
        error.body().empty() ? "message" : "body");
  }
  return {};
}

Status legalise_http_action(const model::Rule& rule) {
  if (rule.has_respond()) return check_respond(rule.respond());
  return rule.has_rewrite() ? check_rewrite(rule.rewrite()) : Status();
}

Status check_http_moment(const model::Rule& rule) {
  if (rule.http().has_websocket() || rule.http().has_sse()) return check_of_message(rule);
  return rule.http().has_reply_status() ? check_of_reply(rule) : Status();
}

}  // namespace misrule::rules
