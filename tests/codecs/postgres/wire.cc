#include "tests/codecs/postgres/wire.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "codecs/postgres/fields.h"
#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres::wire {

namespace {

std::string text(std::string_view value) { return std::string(value) + '\0'; }

std::string number(std::uint32_t value) {
  std::string bytes;
  append_u32(bytes, value);
  return bytes;
}

std::string short_number(std::uint16_t value) {
  std::string bytes;
  append_u16(bytes, value);
  return bytes;
}

std::string first_packet(std::uint32_t code, std::string_view rest) {
  return number(static_cast<std::uint32_t>(rest.size() + 8)) + number(code) + std::string(rest);
}

std::string spoken_body(const Message& message, Sender sender) {
  const bool client = sender == Sender::kClient;
  if (!client && message.type == 'E') {
    const ErrorFields fields = read_error(message.head);
    return fmt::format("({} {} {})", fields.severity, fields.code, fields.message);
  }
  if (!client && (message.type == 'C' || message.type == 'Z')) {
    return fmt::format("({})", read_text(message.head));
  }
  if (client && message.type == 'Q') return fmt::format("({})", read_text(message.head));
  if (client && message.type == 'P') {
    const auto texts = read_two_texts(message.head).value_or(TwoTexts{});
    return fmt::format("({}: {})", texts.first, texts.second);
  }
  return "";
}

}  // namespace

std::string message(char type, std::string_view body) {
  return type + number(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}

std::string startup(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string body;
  for (const auto& [name, value] : parameters) body += text(name) + text(value);
  return first_packet(196608, body + '\0');
}

std::string ssl_request() { return first_packet(80877103, {}); }
std::string cancel_request(std::string_view key) { return first_packet(80877102, key); }
std::string query(std::string_view sql) { return message('Q', text(sql)); }
std::string parse(std::string_view name, std::string_view sql) {
  return message('P', text(name) + text(sql) + short_number(0));
}
std::string bind(std::string_view portal, std::string_view statement) {
  return message(
      'B', text(portal) + text(statement) + short_number(0) + short_number(0) + short_number(0));
}
std::string describe_statement(std::string_view name) { return message('D', "S" + text(name)); }
std::string describe_portal(std::string_view name) { return message('D', "P" + text(name)); }
std::string execute(std::string_view portal, unsigned rows_max) {
  return message('E', text(portal) + number(rows_max));
}
std::string close_statement(std::string_view name) { return message('C', "S" + text(name)); }
std::string sync() { return message('S'); }
std::string flush() { return message('H'); }
std::string copy_data(std::string_view data) { return message('d', data); }
std::string parse_bind_execute(std::string_view sql) {
  return parse("", sql) + bind("", "") + execute();
}

std::string ready(char status) { return message('Z', std::string(1, status)); }
std::string complete(std::string_view tag) { return message('C', text(tag)); }
std::string error(std::string_view code, std::string_view what, std::string_view severity) {
  return error_response(
      {.code = std::string(code), .message = std::string(what), .severity = std::string(severity)});
}
std::string row(std::string_view value) {
  return message(
      'D', short_number(1) + number(static_cast<std::uint32_t>(value.size())) + std::string(value));
}
std::string columns(std::string_view name) {
  return message('T', short_number(1) + text(name) + std::string(18, '\0'));
}
std::string key_data(std::string_view key) { return message('K', key); }
std::string welcome() { return message('R', number(0)) + key_data("pidpkey1") + ready(); }

std::string spoken(std::string_view bytes, Sender sender) {
  std::string out;
  while (!bytes.empty()) {
    const auto decoded = decode_message(bytes, sender, {});
    const auto* const found = std::get_if<Message>(&decoded);
    if (found == nullptr) return out + (out.empty() ? "" : " ") + to_hex(bytes);
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", found->type, spoken_body(*found, sender));
    bytes.remove_prefix(std::min(bytes.size(), found->wire_bytes + found->rest_bytes));
  }
  return out;
}

}  // namespace misrule::codecs::postgres::wire
