#include "codecs/http/message_head.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codecs/http/head_fields.h"

namespace misrule::codecs::http {
namespace {

constexpr std::string_view kVersion = "HTTP/1.";

// "HTTP/1.0" or "HTTP/1.1".
std::optional<unsigned> parse_version(std::string_view text) {
  if (text == "HTTP/1.1") return 1U;
  if (text == "HTTP/1.0") return 0U;
  return std::nullopt;
}

bool is_target_char(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; }

struct HeadParts {
  ByteView first_line;
  ByteView field_lines;
};

HeadParts split(ByteView head) {
  const std::size_t end = head.find("\r\n");
  return {.first_line = head.substr(0, end),
          .field_lines = head.substr(end + 2, head.size() - end - 4)};
}

std::variant<RequestHead, DecodeError> parse_request(ByteView wire) {
  const auto [line, field_lines] = split(wire);
  RequestHead head = {.wire = wire};
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == ByteView::npos || first == last) {
    return DecodeError{fmt::format("\"{}\" is no request line", line.substr(0, 40))};
  }
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::optional<unsigned> minor = parse_version(line.substr(last + 1));
  if (!minor.has_value()) {
    return DecodeError{
        fmt::format("\"{}\" is no version that is decoded, HTTP/1.0 and HTTP/1.1 are",
                    line.substr(last + 1, 20))};
  }
  head.minor = *minor;
  if (!is_token(head.method)) return DecodeError{"the method is no token"};
  if (head.target.empty() || !std::ranges::all_of(head.target, is_target_char)) {
    return DecodeError{"a blank or control character in the request target"};
  }
  auto fields =
      parse_fields(field_lines, {.minor = head.minor, .authority = authority_of(head.target)});
  if (auto* error = std::get_if<DecodeError>(&fields)) return std::move(*error);
  head.fields = std::get<HeadFields>(fields);
  return head;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::variant<ResponseHead, DecodeError> parse_response(ByteView wire) {
  const auto [line, field_lines] = split(wire);
  ResponseHead head = {.wire = wire};
  const std::optional<unsigned> minor = parse_version(line.substr(0, kVersion.size() + 1));
  const ByteView rest = line.substr(std::min(line.size(), kVersion.size() + 1));
  const bool has_status = rest.size() >= 4 && rest[0] == ' ' && is_digit(rest[1]) &&
                          is_digit(rest[2]) && is_digit(rest[3]) &&
                          (rest.size() == 4 || rest[4] == ' ');
  if (!minor.has_value() || !has_status || rest[1] == '0') {
    return DecodeError{fmt::format("\"{}\" is no status line", line.substr(0, 40))};
  }
  head.minor = *minor;
  for (const char c : rest.substr(1, 3)) {
    head.status = head.status * 10 + static_cast<unsigned>(c - '0');
  }
  auto fields = parse_fields(field_lines, {.minor = head.minor});
  if (auto* error = std::get_if<DecodeError>(&fields)) return std::move(*error);
  head.fields = std::get<HeadFields>(fields);
  return head;
}

BodyFraming declared(const HeadFields& fields, BodyFraming otherwise) {
  if (fields.chunked) return {.kind = BodyFraming::Kind::kChunked};
  if (!fields.content_length.has_value()) return otherwise;
  if (*fields.content_length == 0) return {};
  return {.kind = BodyFraming::Kind::kLength, .length = *fields.content_length};
}

bool ends_connection(unsigned minor, const HeadFields& fields) {
  return fields.close || (minor == 0 && !fields.keep_alive);
}

}  // namespace

ByteView authority_of(ByteView target) {
  const std::size_t scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == ByteView::npos) return {};
  const ByteView rest = target.substr(scheme_end + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

BodyFraming RequestHead::body() const { return declared(fields, {}); }
bool RequestHead::closes() const { return ends_connection(minor, fields); }

BodyFraming ResponseHead::body(bool answers_head) const {
  if (answers_head || status < 200 || status == 204 || status == 304) return {};
  return declared(fields, {.kind = BodyFraming::Kind::kUntilClose});
}
bool ResponseHead::closes() const { return ends_connection(minor, fields); }

Decoded<ByteView> HeadScanner::next(ByteView unread) {
  const auto restart = [this] { scanned_ = line_start_ = 0; };
  while (true) {
    const std::size_t line_end = unread.find('\n', scanned_);
    const bool found = line_end != ByteView::npos;
    const std::size_t seen = found ? line_end + 1 : unread.size();
    if (seen > bytes_max_ || (!found && seen == bytes_max_)) {
      restart();
      return DecodeError{fmt::format("a head of more than {} bytes", bytes_max_)};
    }
    if (!found) {
      scanned_ = seen;
      return NeedMore{seen + 1};
    }
    if (line_end == line_start_ || unread[line_end - 1] != '\r') {
      restart();
      return DecodeError{"a line that ends without CR"};
    }
    if (line_end == line_start_ + 1) {
      restart();
      return unread.substr(0, seen);
    }
    scanned_ = line_start_ = seen;
  }
}

std::optional<DecodeError> RequestDecoder::find_foreign_start(ByteView unread) const {
  if (unread.front() == '\x16') return DecodeError{"TLS, which is not decoded here"};
  const ByteView start = unread.substr(0, method_bytes_max_ + 1);
  const auto end = std::ranges::find_if_not(start, is_token_char);
  const bool token = end != start.begin() && (end == start.end() || *end == ' ');
  if (token && static_cast<std::size_t>(end - start.begin()) <= method_bytes_max_) return {};
  return DecodeError{"what should be a method is none"};
}

std::variant<NeedMore, RequestHead, EmptyLine, DecodeError> RequestDecoder::next(ByteView unread) {
  if (unread.empty()) return NeedMore{1};
  if (unread.front() == '\r') {
    if (unread.size() == 1) return NeedMore{2};
    if (unread[1] == '\n') return EmptyLine{};
  }
  if (scanner_.at_start()) {
    if (auto foreign = find_foreign_start(unread)) return *std::move(foreign);
  }
  auto scanned = scanner_.next(unread);
  if (const auto* more = std::get_if<NeedMore>(&scanned)) {
    // The method may have come in pieces.
    if (auto foreign = find_foreign_start(unread)) return *std::move(foreign);
    return *more;
  }
  if (auto* error = std::get_if<DecodeError>(&scanned)) return std::move(*error);
  auto parsed = parse_request(std::get<ByteView>(scanned));
  if (auto* error = std::get_if<DecodeError>(&parsed)) return std::move(*error);
  const auto& head = std::get<RequestHead>(parsed);
  if (head.method.size() > method_bytes_max_) return DecodeError{"a method beyond the limit"};
  return head;
}

Decoded<ResponseHead> ResponseDecoder::next(ByteView unread) {
  if (unread.empty()) return NeedMore{1};
  const std::size_t compared = std::min(unread.size(), kVersion.size());
  if (unread.substr(0, compared) != kVersion.substr(0, compared)) {
    return DecodeError{"what should be a status line is none"};
  }
  auto scanned = scanner_.next(unread);
  if (const auto* more = std::get_if<NeedMore>(&scanned)) return *more;
  if (auto* error = std::get_if<DecodeError>(&scanned)) return std::move(*error);
  auto parsed = parse_response(std::get<ByteView>(scanned));
  if (auto* error = std::get_if<DecodeError>(&parsed)) return std::move(*error);
  return std::get<ResponseHead>(parsed);
}

}  // namespace misrule::codecs::http
