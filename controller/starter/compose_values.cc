#include "controller/starter/compose_values.h"

#include <charconv>

#include <yaml-cpp/yaml.h>

namespace misrule::controller {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_name_char(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::optional<std::uint16_t> number(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value == 0) return {};
  return value;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool within = false;
  char quote = '\0';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote == '\0' && is_blank(c)) {
      within = false;
      continue;
    }
    if (!within) words.emplace_back();
    within = true;
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote && quote != '\0') {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && at + 1 < text.size()) {
      words.back() += text[++at];
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::optional<std::uint16_t> container_port(std::string_view text) {
  text = text.substr(0, text.find('/'));
  const std::size_t colon = text.rfind(':');
  return number(colon == std::string_view::npos ? text : text.substr(colon + 1));
}

std::optional<LocalUrl> find_http_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  const std::size_t begin = text.find(kScheme);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + kScheme.size());
  text = text.substr(0, text.find_first_of(" \t\n'\"|&;)"));
  LocalUrl url;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  const std::string_view place = text.substr(0, slash);
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return url;
  const auto port = number(place.substr(colon + 1));
  if (!port) return {};
  url.port = *port;
  return url;
}

namespace {

/// "NAME", "NAME:-default", "NAME-default".
ValuePiece braced(std::string_view inner) {
  std::size_t end = 0;
  while (end < inner.size() && is_name_char(inner[end])) ++end;
  ValuePiece piece = {.variable = std::string(inner.substr(0, end))};
  std::string_view rest = inner.substr(end);
  if (rest.starts_with(":-")) rest.remove_prefix(1);
  if (rest.starts_with("-")) {
    piece.has_default = true;
    piece.text = rest.substr(1);
  }
  return piece;
}

}  // namespace

std::vector<ValuePiece> split_variables(std::string_view text) {
  std::vector<ValuePiece> pieces = {{}};
  const auto add_variable = [&pieces](ValuePiece piece) {
    if (pieces.back().text.empty()) pieces.pop_back();
    pieces.push_back(std::move(piece));
    pieces.emplace_back();
  };
  while (!text.empty()) {
    const bool names = text[0] == '$' && text.size() > 1;
    const std::size_t close = names && text[1] == '{' ? text.find('}') : std::string_view::npos;
    if (names && text[1] == '$') {
      pieces.back().text += '$';
      text.remove_prefix(2);
    } else if (close != std::string_view::npos) {
      add_variable(braced(text.substr(2, close - 2)));
      text.remove_prefix(close + 1);
    } else if (names && is_name_char(text[1])) {
      std::size_t end = 1;
      while (end < text.size() && is_name_char(text[end])) ++end;
      add_variable({.variable = std::string(text.substr(1, end - 1))});
      text.remove_prefix(end);
    } else {
      pieces.back().text += text[0];
      text.remove_prefix(1);
    }
  }
  if (pieces.size() > 1 && pieces.back().variable.empty() && pieces.back().text.empty()) {
    pieces.pop_back();
  }
  return pieces;
}

namespace {

/// What follows CMD or ENTRYPOINT: a list in JSON, or a line for the shell.
std::vector<std::string> run_by(std::string_view text) {
  if (text.starts_with("[")) {
    try {
      return YAML::Load(std::string(text)).as<std::vector<std::string>>();
    } catch (const YAML::Exception&) {
      return {};
    }
  }
  return split_words(text);
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<std::string> dockerfile_command(std::string_view dockerfile) {
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  while (!dockerfile.empty()) {
    const std::size_t end = dockerfile.find('\n');
    const std::string_view line = without_blanks(dockerfile.substr(0, end));
    dockerfile = end == std::string_view::npos ? "" : dockerfile.substr(end + 1);
    if (line.starts_with("CMD ")) command = run_by(without_blanks(line.substr(4)));
    if (line.starts_with("ENTRYPOINT ")) entrypoint = run_by(without_blanks(line.substr(11)));
  }
  entrypoint.insert(entrypoint.end(), command.begin(), command.end());
  return entrypoint;
}

}  // namespace misrule::controller
