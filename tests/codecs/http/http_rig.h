#pragma once

// An HTTP conversation between two ends that a test plays by hand.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

/// With a plan, decided by rule 7.
Verb plan_verb(Verb::Kind kind, ReplyPlan plan = {});

/// What comes of a dialogue, however its bytes are cut.
struct Outcome {
  std::string to_server = {};
  std::string to_client = {};
  bool closed = false;
  bool operator==(const Outcome&) const = default;
};
/// Runs it with every cut, and expects this each time; holds end at once. Returns the last log.
std::vector<std::string> expect_outcome(const Recording& dialogue, const Outcome& expected,
                                        const std::function<void(RecordingHost&)>& arm);

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
