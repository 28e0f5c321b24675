#pragma once

// An HTTP conversation between two ends that a test plays by hand.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "codecs/http/conversation.h"
#include "tests/codecs/pump.h"

namespace misrule::codecs::http {

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// "GET /x HTTP/1.1" with a Host field.
std::string get(std::string_view path);
std::string post(std::string_view path, std::string_view body, std::string_view fields = {});
/// A reply whose body is this text.
std::string reply_with(std::string_view body);
/// What a 503 without a body looks like when it is injected.
std::string injected_503(std::string_view fields = {});

Verb replace_with(unsigned status, std::string_view body = {});
Verb close_verb(bool reset = false);
Verb hold_request(Duration hold);
Verb hold_reply(Duration hold);

/// Decides `verb` for one path and forwards the rest.
std::function<Verb(const Facts&)> on_path(std::string path, Verb verb);

class Rig {
 public:
  explicit Rig(std::function<Verb(const Facts&)> decide_as = {}, const Limits& limits = {});

  /// The client sends; returns what reaches the server because of it.
  std::string client(std::string_view bytes);
  /// The server sends; returns what reaches the client because of it.
  std::string server(std::string_view bytes);
  /// What has reached the client since the last call of server() or to_client().
  std::string to_client();

  RecordingHost host = {};
  std::unique_ptr<Conversation> conversation;
  Pump pump;

 private:
  std::size_t seen_by_client_ = 0;
};

}  // namespace misrule::codecs::http
