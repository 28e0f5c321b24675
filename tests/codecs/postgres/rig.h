#pragma once

// A Postgres conversation between two ends that a test plays by hand.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "codecs/postgres/conversation.h"
#include "tests/codecs/postgres/wire.h"
#include "tests/codecs/pump.h"

namespace misrule::codecs::postgres {

Verb poison(std::string_view code = "40001", std::string_view message = "fault",
            std::string_view severity = "ERROR");
Verb close_verb(bool reset = false);
Verb hold_request(Duration hold);
Verb hold_reply(Duration hold);

/// Decides `verb` for units whose subject starts with `subject`, and forwards the rest.
std::function<Verb(const Facts&)> on_subject(std::string subject, Verb verb);

/// What the server gets in place of a statement.
inline constexpr std::string_view kPoison = "SELECT misrule_fault_7";

class Rig {
 public:
  /// The session is open: startup and welcome have passed.
  explicit Rig(std::function<Verb(const Facts&)> decide_as = {}, const Limits& limits = {});

  /// The client sends; returns what reaches the server because of it, as it reads it.
  std::string client(std::string_view bytes);
  /// The server sends; returns what reaches the client because of it, as it reads it.
  std::string server(std::string_view bytes);
  /// What has reached either end since it was last asked for.
  std::string at_server();
  std::string at_client();
  /// What the host was told since the last call, without the decisions.
  std::vector<std::string> told();

  RecordingHost host = {};
  std::unique_ptr<Conversation> conversation;
  Pump pump;

 private:
  std::size_t seen_by_server_ = 0;
  std::size_t seen_by_client_ = 0;
  std::size_t seen_log_ = 0;
};

}  // namespace misrule::codecs::postgres
