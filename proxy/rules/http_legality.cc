#include "proxy/rules/http_legality.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

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

// "%C3%A9" or "/../": spellings that the normal form of a path does not have.
bool is_unlike_any_path(std::string_view pattern) {
  for (std::size_t at = pattern.find('%'); at != std::string_view::npos;
       at = pattern.find('%', at + 1)) {
    const std::string_view digits = pattern.substr(at + 1, 2);
    const bool hex = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (digits.size() == 2 && hex && digits != "2F") return true;
  }
  return pattern.find("/../") != std::string_view::npos ||
         pattern.find("/./") != std::string_view::npos;
}

bool has_no_body(std::uint32_t status) { return status == 204 || status == 205 || status == 304; }

}  // namespace

Status check_http_match(const model::HttpMatch& match) {
  if (match.has_method() && !is_method_token(match.method())) {
    return fail(Code::kInvalid,
                fmt::format("method=\"{}\" is no HTTP method, such as GET or POST", match.method()),
                "method");
  }
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
                fmt::format("path=\"{}\" can never match: paths are compared decoded and without "
                            "dot segments, so write the characters themselves (an encoded slash "
                            "stays %2F)",
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

Status legalise_http_action(model::Rule& rule) {
  if (rule.has_hold()) return {};
  return fail(Code::kUnsupported, "this action is not there for http yet");
}

}  // namespace misrule::rules
