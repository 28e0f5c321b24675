#include "tests/fuzz/http/model_server.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "base/check.h"

namespace misrule::codecs::http {
namespace {

std::size_t number_in(std::string_view text, int base) {
  std::size_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
  MISRULE_CHECK(read.ptr == text.data() + text.size() && !text.empty());
  return number;
}

std::optional<std::string> take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::string line(rest.substr(0, end));
  rest.remove_prefix(end + 2);
  return line;
}

std::optional<std::string> take_bytes(std::string_view& rest, std::size_t count) {
  if (rest.size() < count) return std::nullopt;
  std::string bytes(rest.substr(0, count));
  rest.remove_prefix(count);
  return bytes;
}

std::optional<std::string> take_chunks(std::string_view& rest) {
  std::string body;
  for (;;) {
    const auto size = take_line(rest);
    if (!size) return std::nullopt;
    const std::size_t count = number_in(*size, 16);
    const auto chunk = take_bytes(rest, count);
    const auto end = chunk ? take_line(rest) : std::nullopt;
    if (!end) return std::nullopt;
    MISRULE_CHECK(end->empty());
    if (count == 0) return body;
    body += *chunk;
  }
}

}  // namespace

std::optional<ModelMessage> take_message(std::string_view& rest) {
  std::string_view after = rest;
  ModelMessage message;
  auto line = take_line(after);
  if (!line) return std::nullopt;
  message.start = *line;
  for (line = take_line(after); line && !line->empty(); line = take_line(after)) {
    const std::size_t colon = line->find(": ");
    MISRULE_CHECK(colon != std::string::npos);
    std::string name = line->substr(0, colon);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    MISRULE_CHECK(message.fields.emplace(name, line->substr(colon + 2)).second);
  }
  if (!line) return std::nullopt;
  const auto length = message.fields.find("content-length");
  const bool has_length = length != message.fields.end();
  auto body = message.fields.contains("transfer-encoding")
                  ? take_chunks(after)
                  : take_bytes(after, has_length ? number_in(length->second, 10) : 0);
  if (!body) return std::nullopt;
  message.body = *std::move(body);
  rest = after;
  return message;
}

std::string key_of(const ModelMessage& request) {
  const std::size_t at = request.start.find("/k");
  MISRULE_CHECK(at != std::string::npos);
  return request.start.substr(at + 1, request.start.find(' ', at) - at - 1);
}

std::string with_body(std::string_view head, std::string_view body, bool in_chunks) {
  if (!in_chunks) return fmt::format("{}Content-Length: {}\r\n\r\n{}", head, body.size(), body);
  const std::string_view front = body.substr(0, 2);
  const std::string_view back = body.substr(front.size());
  std::string wire = fmt::format("{}Transfer-Encoding: chunked\r\n\r\n", head);
  for (const std::string_view chunk : {front, back}) {
    if (!chunk.empty()) wire += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  }
  return wire + "0\r\n\r\n";
}

std::string ModelHttp::serve(std::string_view bytes) {
  unread_ += bytes;
  std::string answers;
  std::string_view rest = unread_;
  while (const auto request = take_message(rest)) {
    const std::string key = key_of(*request);
    done_.insert(key);
    const std::string said = request->body.empty() ? "" : " for " + request->body;
    answers += with_body("HTTP/1.1 200 OK\r\nServer: model\r\n", "value of " + key + said,
                         key.ends_with('3') || key.ends_with('7'));
  }
  unread_ = std::string(rest);
  return answers;
}

}  // namespace misrule::codecs::http
