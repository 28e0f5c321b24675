#include "codecs/postgres/replies.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::string_view kOurName = "_misrule";

void append_field(std::string& body, char kind, std::string_view text) {
  append_u8(body, static_cast<std::uint8_t>(kind));
  append_cstring(body, text);
}

void append_parse(std::string& out, std::string_view sql) {
  std::string body;
  append_cstring(body, kOurName);
  append_cstring(body, sql);
  append_u16(body, 0);
  append_message(out, 'P', body);
}

void append_execute(std::string& out, std::string_view portal, std::uint32_t rows_max) {
  std::string body;
  append_cstring(body, portal);
  append_u32(body, rows_max);
  append_message(out, 'E', body);
}

void append_close(std::string& out, char what) {
  std::string body(1, what);
  append_cstring(body, kOurName);
  append_message(out, 'C', body);
}

}  // namespace

void append_message(std::string& out, char type, std::string_view body) {
  append_u8(out, static_cast<std::uint8_t>(type));
  append_u32(out, static_cast<std::uint32_t>(body.size() + 4));
  out.append(body);
}

std::string command_complete(std::string_view tag) {
  std::string body;
  append_cstring(body, tag);
  std::string out;
  append_message(out, 'C', body);
  return out;
}

std::string error_response(const ErrorText& error) {
  std::string body;
  append_field(body, 'S', error.severity);
  append_field(body, 'V', error.severity);
  append_field(body, 'C', error.code);
  append_field(body, 'M', error.message);
  append_u8(body, 0);
  std::string out;
  append_message(out, 'E', body);
  return out;
}

std::string poison_statement(std::uint64_t tag) {
  return fmt::format("SELECT {}{}", kPoisonMark, tag);
}

std::string query_message(std::string_view sql) {
  std::string body;
  append_cstring(body, sql);
  std::string out;
  append_message(out, 'Q', body);
  return out;
}

std::string poison_execute(std::uint64_t tag) {
  std::string out;
  append_parse(out, poison_statement(tag));
  return out;
}

std::string rollback_execute() {
  std::string out;
  append_parse(out, "ROLLBACK");
  std::string body;
  append_cstring(body, kOurName);
  append_cstring(body, kOurName);
  append_u16(body, 0);
  append_u16(body, 0);
  append_u16(body, 0);
  append_message(out, 'B', body);
  append_execute(out, kOurName, 0);
  append_close(out, 'S');
  append_message(out, 'H', {});
  return out;
}

std::string execute_then_poison(std::string_view portal, std::uint64_t rows_max,
                                std::uint64_t tag) {
  constexpr std::uint64_t kRowsMax = 0x7fffffff;
  std::string out;
  append_execute(out, portal, static_cast<std::uint32_t>(std::min(rows_max, kRowsMax)));
  append_parse(out, poison_statement(tag));
  return out;
}

std::string describe_statement(std::string_view sql) {
  std::string out;
  append_parse(out, sql);
  std::string body = "S";
  append_cstring(body, kOurName);
  append_message(out, 'D', body);
  append_close(out, 'S');
  append_message(out, 'S', {});
  return out;
}

std::string execute_again(std::string_view statement, std::string_view bound) {
  std::string body;
  append_cstring(body, kOurName);
  append_cstring(body, statement);
  body.append(bound);
  std::string out;
  append_message(out, 'B', body);
  append_execute(out, kOurName, 0);
  append_close(out, 'P');
  return out;
}

std::string copy_fail(std::uint64_t tag) {
  std::string body;
  append_cstring(body, fmt::format("{}{}", kPoisonMark, tag));
  std::string out;
  append_message(out, 'f', body);
  return out;
}

}  // namespace misrule::codecs::postgres
