// Both directions of a connection from hostile bytes, with every verb on some units: the outcome
// does not depend on how the bytes are cut, each unit is decided and told at most once, and without
// rules what went in comes out.
//
// Input: a recording of tests/vectors, or chunks of a byte that says the direction (bit 7) and how
// many bytes follow.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/random.h"
#include "codecs/http/conversation.h"
#include "tests/codecs/grind.h"
#include "tests/codecs/pump.h"

namespace misrule::codecs::http {
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

std::shared_ptr<const ReplyPlan> plan_for(std::uint64_t choice) {
  ReplyPlan plan = {.bytes = choice % 5, .framing = choice % 3 == 0, .of_request = choice % 2 == 0};
  plan.status = choice % 7 == 0 ? 204 : (choice % 7 == 1 ? 200 : 0);
  plan.body = choice % 2 == 0 ? "made up" : "";
  plan.headers = {{"X-Seen", Value{std::string("yes")}}, {"Date", Value{}}};
  if (choice % 3 != 1) plan.edits = {{"$.a", Value{std::int64_t{7}}}};
  plan.decode = choice % 2 == 0;
  return std::make_shared<const ReplyPlan>(std::move(plan));
}

// Every kind, with and without a hold on either side; the choice is the input's.
Verb verb_for(std::uint64_t choice) {
  constexpr std::uint64_t kKinds = static_cast<std::uint64_t>(Verb::Kind::kTruncate) + 1;
  Verb verb = {.kind = static_cast<Verb::Kind>(choice % kKinds),
               .hold = Duration(choice / kKinds % 3 == 0 ? 1 : 0),
               .hold_reply = choice / kKinds % 2 == 0,
               .seed = choice,
               .error = {.status = choice % 5 == 0 ? 204U : 503U, .body = "no"},
               .tag = 1};
  if (verb.error.status == 204) verb.error.body.clear();
  verb.plan = plan_for(choice / 2);
  return verb;
}

// What there is a rule for, and what each unit meets.
class RandomHost {
 public:
  explicit RandomHost(std::string_view input) : salt_(stable_hash(input)) {}

  void arm(RecordingHost& host) const {
    const std::uint64_t salt = salt_;
    host.decide_as = [salt](const Facts& facts) {
      for (const Detail what : kDetails) {
        if (facts.details == nullptr) continue;
        facts.details->any(what, "a", [](std::string_view value) { return value == "b"; });
      }
      const auto phase = static_cast<std::uint64_t>(facts.phase);
      const std::string about = fmt::format("{} {}", facts.unit, phase);
      const std::uint64_t choice = stable_hash(about, salt);
      return choice % 3 == 0 ? Verb{} : verb_for(choice / 3);
    };
    for (std::size_t i = 0; i < std::size(kDetails); ++i) {
      if ((salt >> i & 1U) != 0) host.wanted.push_back(kDetails[i]);
    }
    constexpr Phase kPhases[] = {Phase::kReply, Phase::kWebSocket, Phase::kSse};
    for (std::size_t i = 0; i < std::size(kPhases); ++i) {
      if ((salt >> (20 + i) & 1U) != 0) host.wanted_phases.push_back(kPhases[i]);
    }
  }

 private:
  static constexpr Detail kDetails[] = {
      Detail::kHost,    Detail::kHeader,      Detail::kQueryParameter, Detail::kBody,
      Detail::kMessage, Detail::kReplyStatus, Detail::kDirection};
  std::uint64_t salt_;
};

// Everything that can be seen from outside, when the bytes arrive `cut` at a time.
std::string outcome(const Recording& recording, const RandomHost* rules, std::size_t cut) {
  RecordingHost host;
  if (rules != nullptr) rules->arm(host);
  const auto conversation = make_conversation(
      host,
      {.head_bytes_max = 256, .pipelined_max = 8, .drain_bytes_max = 64, .peek_bytes_max = 32});
  Pump pump(*conversation);
  std::string fed[2];
  for (const auto& [direction, bytes] : recording) {
    fed[static_cast<std::size_t>(direction)] += bytes;
    for (std::size_t i = 0; i < bytes.size(); i += cut) pump.feed(direction, bytes.substr(i, cut));
    for (int round = 0; round < 64 && pump.held(direction).has_value(); ++round) {
      pump.release(direction);
    }
  }
  if (rules == nullptr) {
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
}  // namespace misrule::codecs::http

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The pump's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::codecs;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Recording recording =
      looks_recorded(input) ? parse_recording(input) : http::from_chunks(input);
  // Byte by byte where that is quick.
  const std::size_t cut = size < 512 ? 1 : 7;
  const http::RandomHost random(input);
  for (const http::RandomHost* const rules :
       {static_cast<const http::RandomHost*>(nullptr), &random}) {
    const std::string whole = http::outcome(recording, rules, std::string::npos / 2);
    const std::string pieces = http::outcome(recording, rules, cut);
    if (whole != pieces) fmt::print(stderr, "at once:\n{}\nin pieces:\n{}\n", whole, pieces);
    MISRULE_CHECK(whole == pieces);
  }
  return 0;
}
