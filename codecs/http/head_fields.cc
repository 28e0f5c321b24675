#include "codecs/http/head_fields.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace misrule::codecs::http {
namespace {

using Failure = std::optional<DecodeError>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// RFC 9110, 5.6.2.
constexpr std::array<bool, 256> kIsTokenChar = [] {
  std::array<bool, 256> is = {};
  for (char c = '0'; c <= '9'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) is[static_cast<unsigned char>(c)] = true;
  return is;
}();

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Calls `each` with every element of a comma-separated list that is not empty.
template <class Each>
void for_each_element(std::string_view list, Each each) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const std::string_view element = trimmed(list.substr(0, comma)); !element.empty()) {
      each(element);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

bool is_plain_coding(std::string_view coding) {
  constexpr std::array<std::string_view, 5> kPlain = {"gzip", "x-gzip", "deflate", "compress",
                                                      "x-compress"};
  return std::ranges::any_of(
      kPlain, [&](std::string_view known) { return equal_without_case(coding, known); });
}

class FieldReader {
 public:
  explicit FieldReader(const FieldContext& context) : context_(context) {}

  Failure read(std::string_view name, std::string_view value) {
    // Most fields are none of these, and their lengths show it.
    switch (name.size()) {
      case 4:
        return is(name, "host") ? read_host(value) : Failure();
      case 6:
        if (is(name, "accept")) fields_.accepts_events = value.starts_with("text/event-stream");
        if (is(name, "expect")) fields_.expects_continue = is(value, "100-continue");
        return {};
      case 7:
        if (is(name, "upgrade")) read_upgrade(value);
        return {};
      case 10:
        if (is(name, "connection")) read_connection(value);
        return {};
      case 14:
        return is(name, "content-length") ? read_length(value) : Failure();
      case 17:
        return is(name, "transfer-encoding") ? read_coding(value) : Failure();
      default:
        return {};
    }
  }

  std::variant<HeadFields, DecodeError> finish() {
    if (fields_.chunked && fields_.content_length.has_value()) {
      return DecodeError{"Content-Length beside Transfer-Encoding"};
    }
    fields_.upgrade = upgrade_named_ && upgrade_asked_;
    fields_.websocket = websocket_named_ && upgrade_asked_;
    return fields_;
  }

 private:
  static bool is(std::string_view text, std::string_view word) {
    return equal_without_case(text, word);
  }

  Failure read_length(std::string_view value) {
    constexpr std::size_t kDigitsMax = 18;  // Of what surely fits.
    if (fields_.content_length.has_value()) return DecodeError{"two Content-Length fields"};
    const bool digits = std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (value.empty() || !digits || value.size() > kDigitsMax) {
      return DecodeError{fmt::format("Content-Length \"{}\" is no length", value.substr(0, 40))};
    }
    std::uint64_t length = 0;
    for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    fields_.content_length = length;
    return {};
  }

  Failure read_coding(std::string_view value) {
    if (fields_.chunked) return DecodeError{"two Transfer-Encoding fields"};
    if (context_.minor == 0) return DecodeError{"Transfer-Encoding in HTTP/1.0"};
    bool known = true;
    for_each_element(value, [&](std::string_view coding) {
      if (fields_.chunked) known = false;  // Something behind the last coding.
      if (equal_without_case(coding, "chunked")) {
        fields_.chunked = true;
      } else if (!is_plain_coding(coding)) {
        known = false;
      }
    });
    if (known && fields_.chunked) return {};
    return DecodeError{fmt::format("Transfer-Encoding \"{}\" does not say where the body ends",
                                   value.substr(0, 40))};
  }

  Failure read_host(std::string_view value) {
    if (context_.authority.empty() || equal_without_case(value, context_.authority)) return {};
    return DecodeError{"Host differs from the request target"};
  }

  void read_upgrade(std::string_view value) {
    upgrade_named_ = !value.empty();
    websocket_named_ = is(value, "websocket");
  }

  void read_connection(std::string_view value) {
    for_each_element(value, [&](std::string_view option) {
      if (equal_without_case(option, "close")) fields_.close = true;
      if (equal_without_case(option, "keep-alive")) fields_.keep_alive = true;
      if (equal_without_case(option, "upgrade")) upgrade_asked_ = true;
    });
  }

  const FieldContext& context_;
  HeadFields fields_;
  bool upgrade_named_ = false;
  bool websocket_named_ = false;
  bool upgrade_asked_ = false;
};

// The name and value of one line without its CRLF. `is_clean`: it has neither NUL nor CR.
Failure read_line(std::string_view line, bool is_clean, FieldReader& reader) {
  if (is_blank(line.front())) return DecodeError{"a folded header field"};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return DecodeError{fmt::format("\"{}\" is no header field",
                                   line.substr(0, std::min(colon, line.size())).substr(0, 40))};
  }
  const std::string_view value = line.substr(colon + 1);
  const auto is_foul = [](char c) { return c == '\0' || c == '\r'; };
  if (!is_clean && std::ranges::any_of(value, is_foul)) {
    return DecodeError{"a NUL or CR in a header field"};
  }
  return reader.read(line.substr(0, colon), trimmed(value));
}

}  // namespace

bool is_token_char(char c) { return kIsTokenChar[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

std::variant<HeadFields, DecodeError> parse_fields(ByteView lines, const FieldContext& context) {
  FieldReader reader(context);
  const bool has_nul = lines.contains('\0');
  while (!lines.empty()) {
    std::size_t end = lines.find('\r');
    const bool has_cr = lines[end + 1] != '\n';
    if (has_cr) end = lines.find("\r\n", end);
    const ByteView line = lines.substr(0, end);
    if (Failure failure = read_line(line, !has_nul && !has_cr, reader)) return *std::move(failure);
    lines.remove_prefix(end + 2);
  }
  return reader.finish();
}

}  // namespace misrule::codecs::http
