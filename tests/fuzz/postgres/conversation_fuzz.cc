// Both directions of a connection from hostile bytes, with rules on some statements: the outcome
// does not depend on how the bytes are cut, each unit is decided and told once, and without rules
// what went in comes out.
//
// Input: a recording of tests/vectors, or chunks of a byte that says the direction (bit 7) and how
// many bytes follow, behind a startup that went well.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/random.h"
#include "codecs/postgres/conversation.h"
#include "codecs/postgres/startup.h"
#include "tests/codecs/grind.h"
#include "tests/codecs/pump.h"

namespace misrule::codecs::postgres {
namespace {

constexpr std::string_view kStartup("\0\0\0\x0f\0\3\0\0user\0\0\0", 15);
constexpr std::string_view kReady("Z\0\0\0\5I", 6);

Recording from_chunks(std::string_view input) {
  Recording recording = {{Direction::kToServer, std::string(kStartup)},
                         {Direction::kToClient, std::string(kReady)}};
  while (!input.empty()) {
    const auto head = static_cast<std::uint8_t>(input.front());
    const std::string_view bytes = input.substr(1, head & 0x7fU);
    recording.push_back(
        {(head & 0x80U) != 0 ? Direction::kToClient : Direction::kToServer, std::string(bytes)});
    input.remove_prefix(1 + bytes.size());
  }
  return recording;
}

std::shared_ptr<const ReplyPlan> plan_for(std::uint64_t chance) {
  auto plan = std::make_shared<ReplyPlan>();
  plan->bytes = chance % 7;
  plan->framing = chance % 3 == 0;
  plan->of_request = chance % 5 == 0;
  plan->edits = {{"a", Value{std::int64_t{7}}}, {"b", Value{}}};
  if (chance % 2 == 0) return plan;
  plan->columns = {"a", "b"};
  plan->rows = {{Value{std::int64_t{1}}, Value{std::string("x")}}, {Value{}, Value{true}}};
  return plan;
}

/// Asks for everything that a rule may want to know.
std::uint64_t look_at(const Facts& facts) {
  std::uint64_t seen = stable_hash(facts.text);
  const auto note = [&seen](std::string_view value) {
    seen = stable_hash(value, seen);
    return false;
  };
  if (facts.details == nullptr) return seen;
  for (const Detail what : {Detail::kStatement, Detail::kTable, Detail::kSchema, Detail::kColumn,
                            Detail::kPrepared, Detail::kText}) {
    facts.details->any(what, {}, note);
  }
  for (const std::string_view number : {"1", "2", "0", "x"}) {
    facts.details->any(Detail::kParameter, number, note);
  }
  return seen;
}

Verb verb_for(const Facts& facts) {
  const std::uint64_t unit = facts.unit;
  const std::uint64_t chance = look_at(facts) + unit;
  ErrorText error{.code = "40001", .message = "fault", .severity = "ERROR"};
  if (unit % 16 == 13) error.severity = "FATAL";
  constexpr Verb::Kind kWithPlan[] = {Verb::Kind::kRespond, Verb::Kind::kRewrite,
                                      Verb::Kind::kDuplicate, Verb::Kind::kCorrupt,
                                      Verb::Kind::kTruncate};
  if (chance % 2 == 0) {
    return {.kind = kWithPlan[chance / 2 % std::size(kWithPlan)],
            .seed = chance,
            .plan = plan_for(chance / 32)};
  }
  if (chance % 5 == 0) return {.kind = Verb::Kind::kMask, .error = error};
  if (chance % 7 == 0) return {.kind = Verb::Kind::kLose, .resets = chance % 3 == 0};
  switch (unit % 8) {
    case 2:
    case 5:
      return {.kind = Verb::Kind::kPoison, .error = error, .after_rows = chance % 3};
    case 3:
      return {.hold = Duration(1), .hold_reply = true};
    case 4:
      return {.hold = Duration(1)};
    case 6:
      return {.kind = Verb::Kind::kPoison, .hold = Duration(1), .error = error};
    case 7:
      return {.kind = Verb::Kind::kClose};
    default:
      return {};
  }
}

Released why_released(std::uint64_t round) {
  return round % 3 == 0 ? Released::kDue
                        : (round % 3 == 1 ? Released::kCancelled : Released::kRuleEnded);
}

/// What is left of the client's stream when requests for encryption are taken off.
std::string_view without_encryption(std::string_view stream) {
  while (true) {
    const auto decoded = decode_first_packet(stream, {});
    const auto* const packet = std::get_if<FirstPacket>(&decoded);
    if (packet == nullptr || (packet->kind != FirstPacket::Kind::kSslRequest &&
                              packet->kind != FirstPacket::Kind::kGssEncRequest)) {
      return stream;
    }
    stream.remove_prefix(packet->wire_bytes);
  }
}

// Everything that can be seen from outside, when the bytes arrive `cut` at a time.
std::string outcome(const Recording& recording, bool with_rules, std::size_t cut) {
  RecordingHost host;
  if (with_rules) {
    host.decide_as = verb_for;
    host.wanted_phases = {Phase::kStartup, Phase::kIdle};
  }
  const auto conversation = make_conversation(
      host, {.text_bytes_max = 64, .owed_bytes_max = 8192, .registry_bytes_max = 512});
  Pump pump(*conversation);
  std::string fed[2];
  std::uint64_t round = 0;
  for (const auto& [direction, bytes] : recording) {
    fed[static_cast<std::size_t>(direction)] += bytes;
    for (std::size_t i = 0; i < bytes.size(); i += cut) pump.feed(direction, bytes.substr(i, cut));
    while (pump.held(direction).has_value()) pump.release(direction, why_released(round++));
  }
  if (!with_rules) {
    // Requests for encryption are answered by us, but not in what is not decoded.
    const std::string at_server = pump.to_server() + pump.unread(Direction::kToServer);
    const std::string at_client = pump.to_client() + pump.unread(Direction::kToClient);
    const std::string_view client = without_encryption(fed[0]);
    MISRULE_CHECK(at_server == client || (host.opaque && fed[0].ends_with(at_server)));
    MISRULE_CHECK(at_client == fed[1] || client.size() != fed[0].size());
  }
  std::string seen = pump.to_server() + "\n" + pump.to_client() + (pump.closed() ? "closed" : "");
  pump.end(Direction::kToServer);
  pump.end(Direction::kToClient);
  for (const std::string& line : host.log) seen += line + "\n";
  return seen;
}

}  // namespace
}  // namespace misrule::codecs::postgres

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The pump's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::codecs;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Recording recording =
      looks_recorded(input) ? parse_recording(input) : postgres::from_chunks(input);
  // Byte by byte where that is quick.
  const std::size_t cut = size < 512 ? 1 : 7;
  for (const bool with_rules : {false, true}) {
    const std::string whole = postgres::outcome(recording, with_rules, std::string::npos / 2);
    MISRULE_CHECK(whole == postgres::outcome(recording, with_rules, cut));
  }
  return 0;
}
