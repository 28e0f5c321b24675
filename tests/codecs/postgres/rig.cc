#include "tests/codecs/postgres/rig.h"

#include <utility>

namespace misrule::codecs::postgres {

Verb poison(std::string_view code, std::string_view message, std::string_view severity) {
  return {.kind = Verb::Kind::kPoison,
          .error = {.code = std::string(code),
                    .message = std::string(message),
                    .severity = std::string(severity)},
          .tag = 7};
}

Verb close_verb(bool reset) {
  return {.kind = reset ? Verb::Kind::kReset : Verb::Kind::kClose, .tag = 7};
}

Verb hold_request(Duration hold) { return {.hold = hold, .tag = 7}; }

Verb hold_reply(Duration hold) { return {.hold = hold, .hold_reply = true, .tag = 7}; }

std::function<Verb(const Facts&)> on_subject(std::string subject, Verb verb) {
  return [subject = std::move(subject), verb = std::move(verb)](const Facts& facts) {
    return facts.subject.starts_with(subject) ? verb : Verb{};
  };
}

Rig::Rig(std::function<Verb(const Facts&)> decide_as, const Limits& limits)
    : conversation(make_conversation(host, limits)), pump(*conversation) {
  host.decide_as = std::move(decide_as);
  pump.feed(Direction::kToServer, wire::startup());
  pump.feed(Direction::kToClient, wire::welcome());
  seen_by_server_ = pump.to_server().size();
  seen_by_client_ = pump.to_client().size();
}

std::string Rig::client(std::string_view bytes) {
  at_server();
  pump.feed(Direction::kToServer, bytes);
  return at_server();
}

std::string Rig::server(std::string_view bytes) {
  at_client();
  pump.feed(Direction::kToClient, bytes);
  return at_client();
}

std::string Rig::at_server() {
  const std::size_t from = std::exchange(seen_by_server_, pump.to_server().size());
  return wire::spoken(std::string_view(pump.to_server()).substr(from), Sender::kClient);
}

std::string Rig::at_client() {
  const std::size_t from = std::exchange(seen_by_client_, pump.to_client().size());
  return wire::spoken(std::string_view(pump.to_client()).substr(from), Sender::kServer);
}

std::vector<std::string> Rig::told() {
  std::vector<std::string> lines;
  for (; seen_log_ < host.log.size(); ++seen_log_) {
    if (!host.log[seen_log_].starts_with("decide")) lines.push_back(host.log[seen_log_]);
  }
  return lines;
}

}  // namespace misrule::codecs::postgres
