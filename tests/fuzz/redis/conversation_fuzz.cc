// Both directions of a connection from hostile bytes, with rules on some requests: the outcome does
// not depend on how the bytes are cut, each unit is decided and told at most once, and without
// rules what went in comes out.
//
// Input: a recording of tests/vectors, or chunks of a byte that says the direction (bit 7) and how
// many bytes follow.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/check.h"
#include "codecs/redis/command_table.h"
#include "codecs/redis/conversation.h"
#include "tests/codecs/grind.h"
#include "tests/codecs/pump.h"

namespace misrule::codecs::redis {
namespace {

Recording from_chunks(std::string_view input) {
  Recording recording;
  while (!input.empty()) {
    const auto head = static_cast<std::uint8_t>(input.front());
    const std::string_view bytes = input.substr(1, head & 0x7fU);
    recording.push_back(
        {(head & 0x80U) != 0 ? Direction::kToClient : Direction::kToServer, std::string(bytes)});
    input.remove_prefix(1 + bytes.size());
  }
  return recording;
}

Verb error(std::string_view code) {
  Verb verb{.kind = Verb::Kind::kPoison};
  verb.error.code = code;
  return verb;
}

Verb planned(Verb::Kind kind, const ReplyPlan& plan) {
  return {.kind = kind, .seed = 3, .plan = std::make_shared<const ReplyPlan>(plan), .tag = 2};
}

Verb changing_verb_for(std::uint64_t unit) {
  const ValueMap edits = {{"missing", Value{std::int64_t{1}}}, {"repeat", Value{true}}};
  switch (unit % 16) {
    case 1:
      return planned(Verb::Kind::kRespond, {.value = Value{std::string("made up")}});
    case 6:
      return planned(Verb::Kind::kRewrite, {.value = Value{edits}});
    case 8:
      return planned(Verb::Kind::kDuplicate, {});
    case 9:
      return planned(Verb::Kind::kCorrupt, {.bytes = 3, .framing = unit > 40});
    case 10:
      return planned(Verb::Kind::kCorrupt, {.framing = unit > 20, .of_request = true});
    case 14:
      return planned(unit > 30 ? Verb::Kind::kTruncate : Verb::Kind::kRespond,
                     {.bytes = 2, .of_request = unit > 60});
    case 15:
      return {.kind = unit > 30 ? Verb::Kind::kLose : Verb::Kind::kSwallow, .tag = 2};
    default:
      return {};
  }
}

Verb verb_for(std::uint64_t unit) {
  switch (unit % 8) {
    case 2:
      return error("OOM");
    case 3:
      return {.hold = Duration(1), .hold_reply = true};
    case 4:
      return {.hold = Duration(1)};
    case 5:
      return error("WRONGTYPE");
    case 7:
      if (unit % 16 == 7) {
        return {.kind = unit > 20 ? Verb::Kind::kClose : Verb::Kind::kForward, .tag = 1};
      }
      break;
    default:
      break;
  }
  return changing_verb_for(unit);
}

// Of what is published every verb may be wanted; of a command not everything is legal.
Verb verb_for(const Facts& facts) {
  const CommandTraits* const known = find_command(facts.operation);
  const bool plain = known == nullptr || known->kind == CommandKind::kPlain;
  Verb verb = verb_for(facts.unit);
  const bool is_push = facts.phase == Phase::kPush;
  if (is_push && verb.kind == Verb::Kind::kPoison) return {};
  if (verb.kind == Verb::Kind::kSwallow && !is_push) return {};
  return verb.plan != nullptr && !plain && !is_push ? Verb{} : verb;
}

// Everything that can be seen from outside, when the bytes arrive `cut` at a time.
std::string outcome(const Recording& recording, bool with_rules, std::size_t cut) {
  RecordingHost host;
  if (with_rules) host.decide_as = [](const Facts& facts) { return verb_for(facts); };
  if (with_rules) host.wanted_phases = {Phase::kPush};
  const auto conversation = make_conversation(host, {.command_bytes_max = 64,
                                                     .reply_bytes_max = 48,
                                                     .whole_reply_bytes_max = 96,
                                                     .depth_max = 8,
                                                     .owed_max = 16});
  Pump pump(*conversation);
  std::string fed[2];
  for (const auto& [direction, bytes] : recording) {
    fed[static_cast<std::size_t>(direction)] += bytes;
    for (std::size_t i = 0; i < bytes.size(); i += cut) pump.feed(direction, bytes.substr(i, cut));
    for (int round = 0; round < 64 && pump.held(direction).has_value(); ++round) {
      pump.release(direction);
    }
  }
  if (!with_rules) {
    MISRULE_CHECK(pump.to_server() + pump.unread(Direction::kToServer) == fed[0]);
    MISRULE_CHECK(pump.to_client() + pump.unread(Direction::kToClient) == fed[1]);
  }
  std::string seen = pump.to_server() + "\n" + pump.to_client() + (pump.closed() ? "closed" : "");
  pump.end(Direction::kToServer);
  pump.end(Direction::kToClient);
  for (const std::string& line : host.log) {
    if (!line.starts_with("opaque")) seen += line + "\n";
  }
  return seen;
}

}  // namespace
}  // namespace misrule::codecs::redis

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The pump's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::codecs;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Recording recording =
      looks_recorded(input) ? parse_recording(input) : redis::from_chunks(input);
  // Byte by byte where that is quick.
  const std::size_t cut = size < 512 ? 1 : 7;
  for (const bool with_rules : {false, true}) {
    const std::string whole = redis::outcome(recording, with_rules, std::string::npos / 2);
    MISRULE_CHECK(whole == redis::outcome(recording, with_rules, cut));
  }
  return 0;
}
