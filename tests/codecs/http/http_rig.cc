#include "tests/codecs/http/http_rig.h"

#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace misrule::codecs::http {

std::string get(std::string_view path) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: shop\r\n\r\n", path);
}

std::string post(std::string_view path, std::string_view body, std::string_view fields) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: shop\r\n{}Content-Length: {}\r\n\r\n{}", path,
                     fields, body.size(), body);
}

std::string reply_with(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

std::string injected_503(std::string_view fields) {
  return fmt::format("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n{}\r\n", fields);
}

Verb replace_with(unsigned status, std::string_view body) {
  Verb verb = {.kind = Verb::Kind::kReplace, .tag = 7};
  verb.error.status = status;
  verb.error.body = body;
  return verb;
}

Verb close_verb(bool reset) {
  return {.kind = reset ? Verb::Kind::kReset : Verb::Kind::kClose, .tag = 7};
}

Verb hold_request(Duration hold) { return {.hold = hold, .tag = 7}; }

Verb hold_reply(Duration hold) { return {.hold = hold, .hold_reply = true, .tag = 7}; }

Verb plan_verb(Verb::Kind kind, ReplyPlan plan) {
  return {.kind = kind,
          .seed = 5,
          .plan = std::make_shared<const ReplyPlan>(std::move(plan)),
          .tag = 7};
}

std::vector<std::string> expect_outcome(const Recording& dialogue, const Outcome& expected,
                                        const std::function<void(RecordingHost&)>& arm) {
  std::vector<std::string> log;
  for_each_split(dialogue, [&](const Recording& cut) {
    Rig rig;
    arm(rig.host);
    for (const Piece& piece : cut) {
      rig.pump.feed(piece.direction, piece.bytes);
      while (rig.pump.held(piece.direction).has_value()) rig.pump.release(piece.direction);
    }
    EXPECT_EQ(rig.pump.to_server(), expected.to_server);
    EXPECT_EQ(rig.pump.to_client(), expected.to_client);
    EXPECT_EQ(rig.pump.closed(), expected.closed);
    log = rig.host.log;
  });
  return log;
}

std::function<Verb(const Facts&)> on_path(std::string path, Verb verb) {
  return [path = std::move(path), verb = std::move(verb)](const Facts& facts) {
    return facts.subject == path ? verb : Verb{};
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

}  // namespace misrule::codecs::http
