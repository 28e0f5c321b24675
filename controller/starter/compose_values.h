#pragma once

// The small languages that stand in a compose file's values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace misrule::controller {

/// As a shell splits words: quotes and backslashes, nothing else.
std::vector<std::string> split_words(std::string_view text);

/// The port within the container of "8080", "80:8080", "127.0.0.1:80:8080/tcp"; nothing of a range.
std::optional<std::uint16_t> container_port(std::string_view text);

struct LocalUrl {
  std::uint16_t port = 80;
  std::string path = "/";
};
/// The first http URL in a text.
std::optional<LocalUrl> find_http_url(std::string_view text);

/// A piece of a value: text as it stands, or a variable of the environment.
struct ValuePiece {
  std::string text = {};
  std::string variable = {};  ///< Empty: `text`; else `text` is its default.
  bool has_default = false;
};
/// $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}; "$$" is a dollar.
std::vector<ValuePiece> split_variables(std::string_view text);

/// What a Dockerfile's last ENTRYPOINT and CMD run; empty if neither says.
std::vector<std::string> dockerfile_command(std::string_view dockerfile);

}  // namespace misrule::controller
