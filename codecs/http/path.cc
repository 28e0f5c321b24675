#include "codecs/http/path.h"

#include <optional>
#include <span>

namespace misrule::codecs::http {
namespace {

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

// The byte that "%xx" at the front of `text` stands for.
std::optional<char> encoded_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const std::optional<unsigned> high = hex_value(text[1]);
  const std::optional<unsigned> low = hex_value(text[2]);
  if (!high.has_value() || !low.has_value()) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(*high * 16 + *low));
}

// The path part of the target, still encoded.
std::string_view path_part(std::string_view target) {
  if (!target.starts_with('/')) {
    const std::size_t scheme_end = target.find("://");
    if (scheme_end == std::string_view::npos) return target;
    const std::size_t path = target.find_first_of("/?#", scheme_end + 3);
    if (path == std::string_view::npos || target[path] != '/') return "/";
    target.remove_prefix(path);
  }
  return target.substr(0, target.find_first_of("?#"));
}

std::string decoded(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  while (!path.empty()) {
    const std::optional<char> byte = encoded_byte(path);
    if (byte == '/') {
      out += "%2F";
    } else {
      out.push_back(byte.value_or(path.front()));
    }
    path.remove_prefix(byte.has_value() ? 3 : 1);
  }
  return out;
}

// RFC 3986, 5.2.4, for a path that begins with a slash.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = path.find('/', 1);
    const std::string_view segment = path.substr(0, end);
    const bool last = end == std::string_view::npos;
    path.remove_prefix(segment.size());
    if (segment == "/.." && !out.empty()) out.resize(out.rfind('/'));
    const bool dots = segment == "/." || segment == "/..";
    if (!dots) {
      out += segment;
    } else if (last) {
      out += '/';
    }
  }
  return out;
}

}  // namespace

std::string_view normal_path(std::string_view target, std::string& storage) {
  const std::string_view path = path_part(target);
  const bool encoded = path.find('%') != std::string_view::npos;
  const bool dotted = path.find("/.") != std::string_view::npos;
  if (!path.starts_with('/') || (!encoded && !dotted)) return path;
  storage = without_dot_segments(encoded ? decoded(path) : std::string(path));
  return storage;
}

std::string raw_path(std::string_view target) { return with_capital_digits(path_part(target)); }

bool has_encoded_byte(std::string_view text) {
  for (std::size_t at = text.find('%'); at < text.size(); at = text.find('%', at + 1)) {
    if (encoded_byte(text.substr(at)).has_value()) return true;
  }
  return false;
}

std::string with_capital_digits(std::string_view text) {
  std::string out(text);
  for (std::size_t at = out.find('%'); at < out.size(); at = out.find('%', at + 1)) {
    if (!encoded_byte(std::string_view(out).substr(at)).has_value()) continue;
    for (char& digit : std::span(out).subspan(at + 1, 2)) {
      if (digit >= 'a') digit = static_cast<char>(digit - ('a' - 'A'));
    }
  }
  return out;
}

std::string decoded_parameter(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::optional<char> byte = encoded_byte(text);
    out.push_back(byte.value_or(text.front() == '+' ? ' ' : text.front()));
    text.remove_prefix(byte.has_value() ? 3 : 1);
  }
  return out;
}

}  // namespace misrule::codecs::http
