#include "codecs/http/replies.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "codecs/http/head_edit.h"
#include "codecs/http/head_fields.h"

namespace misrule::codecs::http {
namespace {

constexpr std::array<std::pair<unsigned, std::string_view>, 47> kPhrases = {{
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
}};

std::string_view content_type_of(std::string_view body) {
  if (body.starts_with('{') || body.starts_with('[')) return "application/json";
  if (body.starts_with('<')) return "text/html; charset=utf-8";
  return "text/plain; charset=utf-8";
}

void append_ending(std::string& out, unsigned status, std::string_view body, const ReplyTo& to) {
  const bool has_length = status != 204 && status != 304;
  if (has_length) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", body.size());
  if (to.close) {
    out += "Connection: close\r\n";
  } else if (to.old_keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (has_length && !to.head) out += body;
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
  const auto found =
      std::ranges::find(kPhrases, status, &std::pair<unsigned, std::string_view>::first);
  return found == kPhrases.end() ? std::string_view() : found->second;
}

void append_reply(std::string& out, const ErrorText& error, const ReplyTo& to) {
  const auto at_end = std::back_inserter(out);
  fmt::format_to(at_end, "HTTP/1.1 {} {}\r\n", error.status, reason_phrase(error.status));
  if (!error.body.empty()) {
    const bool said = !error.content_type.empty();
    fmt::format_to(at_end, "Content-Type: {}\r\n",
                   said ? error.content_type : content_type_of(error.body));
  }
  append_ending(out, error.status, error.body, to);
}

void append_reply(std::string& out, const ReplyPlan& plan, const ReplyTo& to) {
  const auto at_end = std::back_inserter(out);
  const unsigned status = plan.status == 0 ? 200 : plan.status;
  fmt::format_to(at_end, "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  const bool typed = std::ranges::any_of(plan.headers, [](const auto& field) {
    return equal_without_case(field.first, "content-type");
  });
  if (!typed && !plan.body.empty()) {
    fmt::format_to(at_end, "Content-Type: {}\r\n", content_type_of(plan.body));
  }
  for (const auto& [name, value] : plan.headers) {
    fmt::format_to(at_end, "{}: {}\r\n", name, field_text(value));
  }
  append_ending(out, status, plan.body, to);
}

void append_told(std::string& out, const Verb& verb, const ReplyTo& to) {
  if (verb.kind == Verb::Kind::kRespond) return append_reply(out, *verb.plan, to);
  ErrorText error = verb.error;
  error.status = told_status(verb);
  append_reply(out, error, to);
}

unsigned told_status(const Verb& verb) {
  if (verb.kind == Verb::Kind::kRespond) return verb.plan->status == 0 ? 200 : verb.plan->status;
  return verb.error.status == 0 ? 500 : verb.error.status;
}

}  // namespace misrule::codecs::http
