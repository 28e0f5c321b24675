#pragma once

// A Redis conversation between two ends that a test plays by hand.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/redis/conversation.h"
#include "tests/codecs/pump.h"

namespace misrule::codecs::redis {

/// "SET k v" as clients send it; words are split at blanks.
std::string command(std::string_view words);
std::string bulk(std::string_view text);
/// "*3 subscribe NAME :count", as version 2 has it, or with '>' in front.
std::string confirmation(std::string_view kind, std::string_view name, int count, char type = '*');

Verb error_verb(std::string_view code, std::string_view message = {});
Verb close_verb(bool reset = false);
Verb hold_verb(bool reply = false);
/// The verb for each unit whose operation is `operation`.
std::function<Verb(const Facts&)> on(std::string operation, Verb verb);

struct Rig {
  explicit Rig(std::function<Verb(const Facts&)> decide_as = {}, const Limits& limits = {});

  /// Sends, and answers what reached the server by it.
  std::string client(std::string_view bytes);
  /// Sends, and answers what reached the client since it was last asked.
  std::string server(std::string_view bytes);
  std::string to_client();
  /// The last thing that the host was told.
  std::string last() const { return host.log.empty() ? std::string() : host.log.back(); }

  RecordingHost host = {};
  std::unique_ptr<Conversation> conversation;
  Pump pump;

 private:
  std::size_t seen_by_client_ = 0;
};

}  // namespace misrule::codecs::redis
