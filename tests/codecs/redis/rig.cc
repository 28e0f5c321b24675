#include "tests/codecs/redis/rig.h"

#include <utility>

#include <fmt/format.h>

namespace misrule::codecs::redis {

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

std::string command(std::string_view words) {
  std::string strings;
  std::size_t count = 0;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    strings += bulk(word);
    ++count;
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return fmt::format("*{}\r\n{}", count, strings);
}

std::string confirmation(std::string_view kind, std::string_view name, int count, char type) {
  return fmt::format("{}3\r\n{}{}:{}\r\n", type, bulk(kind), bulk(name), count);
}

Verb error_verb(std::string_view code, std::string_view message) {
  Verb verb{.kind = Verb::Kind::kPoison, .tag = 7};
  verb.error.code = code;
  verb.error.message = message;
  return verb;
}

Verb close_verb(bool reset) {
  return {.kind = reset ? Verb::Kind::kReset : Verb::Kind::kClose, .tag = 7};
}

Verb hold_verb(bool reply) { return {.hold = Duration(1), .hold_reply = reply, .tag = 7}; }

std::function<Verb(const Facts&)> on(std::string operation, Verb verb) {
  return [operation = std::move(operation), verb = std::move(verb)](const Facts& facts) {
    return facts.operation == operation ? verb : Verb{};
  };
}

Rig::Rig(std::function<Verb(const Facts&)> decide_as, const Limits& limits)
    : conversation(make_conversation(host, limits)), pump(*conversation) {
  host.decide_as = std::move(decide_as);
}

std::string Rig::client(std::string_view bytes) {
  const std::size_t before = pump.to_server().size();
  pump.feed(Direction::kToServer, bytes);
  return pump.to_server().substr(before);
}

std::string Rig::server(std::string_view bytes) {
  pump.feed(Direction::kToClient, bytes);
  return to_client();
}

std::string Rig::to_client() {
  const std::string all = pump.to_client();
  return all.substr(std::exchange(seen_by_client_, all.size()));
}

}  // namespace misrule::codecs::redis
