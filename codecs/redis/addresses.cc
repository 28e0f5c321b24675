#include "codecs/redis/addresses.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace misrule::codecs::redis {
namespace {

struct Form {
  std::string_view command;
  AddressForm form;
};
constexpr std::array kForms = std::to_array<Form>({
    {"CLUSTER SLOTS", AddressForm::kSlots},
    {"CLUSTER SHARDS", AddressForm::kFields},
    {"CLUSTER NODES", AddressForm::kLines},
    {"CLUSTER REPLICAS", AddressForm::kLines},
    {"CLUSTER SLAVES", AddressForm::kLines},
    {"SENTINEL GET-MASTER-ADDR-BY-NAME", AddressForm::kPair},
    {"SENTINEL MASTER", AddressForm::kFields},
    {"SENTINEL MASTERS", AddressForm::kFields},
    {"SENTINEL REPLICAS", AddressForm::kFields},
    {"SENTINEL SLAVES", AddressForm::kFields},
    {"SENTINEL SENTINELS", AddressForm::kFields},
});

/// A string, a number or the head of an aggregate, as it stands in the bytes.
struct Token {
  char type = 0;
  std::string_view wire = {};
  std::string_view text = {};  ///< A string's content; a line without its type.
  std::string changed = {};
  bool is_changed = false;

  bool is_string() const { return type == '$' || type == '='; }
  void change(std::string_view to) {
    changed = to;
    is_changed = changed != text;
  }
};

std::vector<Token> tokens_of(ByteView bytes) {
  std::vector<Token> tokens;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n");
    if (end == ByteView::npos) return {};
    Token token{.type = bytes.front(), .text = bytes.substr(1, end - 1)};
    std::size_t size = end + 2;
    std::size_t length = 0;
    const std::string_view number = token.text;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), length);
    const bool is_read = read.ec == std::errc();
    if (token.is_string() && is_read) {
      if (bytes.size() - size < length + 2) return {};
      token.text = bytes.substr(size, length);
      if (token.type == '=') token.text.remove_prefix(std::min<std::size_t>(4, length));
      size += length + 2;
    }
    token.wire = bytes.substr(0, size);
    tokens.push_back(std::move(token));
    bytes.remove_prefix(size);
  }
  return tokens;
}

void append_token(const Token& token, std::string& out) {
  if (!token.is_changed) {
    out += token.wire;
  } else if (token.type == ':') {
    out += fmt::format(":{}\r\n", token.changed);
  } else if (token.type == '=') {
    out += fmt::format("={}\r\ntxt:{}\r\n", token.changed.size() + 4, token.changed);
  } else {
    out += fmt::format("${}\r\n{}\r\n", token.changed.size(), token.changed);
  }
}

struct Address {
  std::string_view host;
  std::string_view port;
};

Address split(std::string_view node) {
  const std::size_t colon = node.rfind(':');
  if (colon == std::string_view::npos) return {};
  return {.host = node.substr(0, colon), .port = node.substr(colon + 1)};
}

// A host that is nil or unknown is the server's own.
std::string route_of(const Token& host, const Token& port, const Route& route,
                     std::string_view kind = {}) {
  const bool is_own = host.wire == "$-1\r\n" || host.type == '_' || host.text == "?";
  if (port.text == "0") return {};
  return route(fmt::format("{}{}:{}", kind, is_own ? "" : host.text, port.text));
}

// Puts the address in the place of these two.
void change_pair(Token& host, Token& port, const Route& route) {
  const std::string to = route_of(host, port, route);
  if (to.empty()) return;
  const Address address = split(to);
  host.change(address.host);
  port.change(address.port);
}

bool may_be_host(const Token& token) { return token.type == '_' || token.is_string(); }

void change_slots(std::vector<Token>& tokens, const Route& route) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (may_be_host(tokens[i]) && tokens[i + 1].type == ':') {
      change_pair(tokens[i], tokens[i + 1], route);
    }
  }
}

/// The fields of one server, as they come: each kind begins with another one.
class Fields {
 public:
  explicit Fields(const Route& route) : route_(route) {}

  void take(std::string_view name, Token& value) {
    Token** const place = name == "port"       ? &port_
                          : name == "tls-port" ? &tls_port_
                          : name == "ip"       ? &ip_
                                               : &endpoint_;
    if (*place != nullptr) finish();
    *place = &value;
  }

  void finish() {
    Token* const host = ip_ != nullptr ? ip_ : endpoint_;
    if (host != nullptr && port_ != nullptr && tls_port_ != nullptr) {
      change_both(*host);
    } else if (Token* const port = port_ != nullptr ? port_ : tls_port_;
               host != nullptr && port != nullptr) {
      change_pair(*host, *port, route_);
    }
    if (endpoint_ != nullptr && host != endpoint_ && host->is_changed) {
      endpoint_->change(host->changed);
    }
    port_ = tls_port_ = ip_ = endpoint_ = nullptr;
  }

 private:
  // Whichever of its ports a client would take, it meets the proxy of the one that we would.
  void change_both(Token& host) {
    std::string to = route_of(host, *port_, route_, "plain:");
    if (to.empty()) to = route_of(host, *tls_port_, route_, "tls:");
    if (to.empty()) return;
    const Address address = split(to);
    host.change(address.host);
    port_->change(address.port);
    tls_port_->change(address.port);
  }

  const Route& route_;
  Token* port_ = nullptr;
  Token* tls_port_ = nullptr;
  Token* ip_ = nullptr;
  Token* endpoint_ = nullptr;
};

void change_fields(std::vector<Token>& tokens, const Route& route) {
  Fields fields(route);
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const Token& name = tokens[i];
    const bool is_one = name.type == '$' && (name.text == "ip" || name.text == "port" ||
                                             name.text == "tls-port" || name.text == "endpoint");
    if (is_one) fields.take(name.text, tokens[++i]);
  }
  fields.finish();
}

// "id host:port@bus,name flags ..."
std::string changed_line(std::string_view line, const Route& route) {
  const std::size_t begin = line.find(' ') + 1;
  const std::size_t end = line.find_first_of(" ,@", begin);
  if (begin == 0 || end == std::string_view::npos) return std::string(line);
  const std::string_view node = line.substr(begin, end - begin);
  const std::string to = node.ends_with(":0") ? std::string() : route(node);
  if (to.empty()) return std::string(line);
  return fmt::format("{}{}{}", line.substr(0, begin), to, line.substr(end));
}

void change_lines(std::vector<Token>& tokens, const Route& route) {
  for (Token& token : tokens) {
    if (!token.is_string()) continue;
    std::string text;
    std::string_view left = token.text;
    while (!left.empty()) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      text += changed_line(left.substr(0, end), route);
      left.remove_prefix(end);
      if (left.empty()) break;
      text += '\n';
      left.remove_prefix(1);
    }
    token.change(text);
  }
}

}  // namespace

std::optional<AddressForm> address_form_of(std::string_view command) {
  const auto found = std::ranges::find(kForms, command, &Form::command);
  if (found == kForms.end()) return std::nullopt;
  return found->form;
}

std::string readdressed(ByteView reply, AddressForm form, const Route& route) {
  std::vector<Token> tokens = tokens_of(reply);
  switch (form) {
    case AddressForm::kSlots:
      change_slots(tokens, route);
      break;
    case AddressForm::kFields:
      change_fields(tokens, route);
      break;
    case AddressForm::kLines:
      change_lines(tokens, route);
      break;
    case AddressForm::kPair:
      if (tokens.size() == 3 && tokens[1].is_string() && tokens[2].is_string()) {
        change_pair(tokens[1], tokens[2], route);
      }
      break;
  }
  if (std::ranges::none_of(tokens, &Token::is_changed)) return {};
  std::string out;
  for (const Token& token : tokens) append_token(token, out);
  return out;
}

bool is_redirection(std::string_view error) {
  return error.starts_with("MOVED ") || error.starts_with("ASK ");
}

std::string readdressed_error(std::string_view error, const Route& route) {
  const std::size_t blank = error.rfind(' ');
  if (blank == std::string_view::npos || !is_redirection(error)) return {};
  const std::string to = route(error.substr(blank + 1));
  if (to.empty()) return {};
  return fmt::format("{} {}", error.substr(0, blank), to);
}

}  // namespace misrule::codecs::redis
