#include "tests/codecs/pump.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace misrule::codecs {
namespace {

std::string_view word_for(ServerOutcome outcome) {
  if (outcome == ServerOutcome::kDid) return "did";
  return outcome == ServerOutcome::kDidNot ? "did_not" : "unknown";
}

std::string_view word_for(Released why) {
  if (why == Released::kDue) return "due";
  return why == Released::kRuleEnded ? "rule_ended" : "cancelled";
}

}  // namespace

Verb RecordingHost::decide(const Facts& facts) {
  ++decided;
  log.push_back(fmt::format("decide {} {} {}", facts.unit, facts.operation, facts.subject));
  const bool again = facts.phase == Phase::kReply;
  EXPECT_EQ(std::ranges::count(open_, facts.unit), again ? 1 : 0) << "unit " << facts.unit;
  if (!again) open_.push_back(facts.unit);
  return decide_as ? decide_as(facts) : Verb{};
}

void RecordingHost::exchanged(const Exchange& exchange) {
  const bool is_open = std::erase(open_, exchange.unit) == 1;
  // What passed untold may be told of while something else is followed.
  if (!is_open && counted > 0) return;
  EXPECT_TRUE(is_open) << "not open: unit " << exchange.unit;
  exchanges.push_back(exchange);
  log.push_back(fmt::format("exchanged {} {} {}{}", exchange.unit, exchange.reply,
                            word_for(exchange.server), exchange.failed ? " failed" : ""));
}

void RecordingHost::hold_ended(std::uint64_t unit, Released why) {
  EXPECT_NE(why, Released::kDue);
  log.push_back(fmt::format("hold_ended {} {}", unit, word_for(why)));
}

void RecordingHost::skipped(std::uint64_t unit, std::string_view why) {
  EXPECT_EQ(std::ranges::count(open_, unit), 1) << "not open: unit " << unit;
  log.push_back(fmt::format("skipped {} {}", unit, why));
}

void RecordingHost::went_opaque(std::string_view why) {
  EXPECT_FALSE(opaque.has_value()) << "told twice: " << *opaque << ", " << why;
  opaque = why;
  log.push_back(fmt::format("opaque {}", why));
}

void RecordingHost::cancellable_by(std::string_view key) { cancel_key = key; }

bool RecordingHost::cancel_held(std::string_view key) { return !key.empty() && key == held_key; }

Direction Pump::other(Direction direction) {
  return direction == Direction::kToServer ? Direction::kToClient : Direction::kToServer;
}

void Pump::feed(Direction direction, std::string_view bytes) {
  unread_[index(direction)] += bytes;
  if (unread_[index(direction)].size() >= need_[index(direction)]) run(direction);
}

void Pump::feed(const Recording& recording) {
  for (const Piece& piece : recording) feed(piece.direction, piece.bytes);
}

void Pump::run(Direction direction) {
  while (!closed_ && !held_[index(direction)].has_value()) {
    const Step step = walk(direction);
    written_[index(direction)] += unread_[index(direction)].substr(0, step.pass);
    consume(direction, step.pass);
    if (!step.act.has_value()) {
      const bool waits = step.need > unread_[index(direction)].size();
      EXPECT_TRUE(step.need == 0 || waits) << "needs " << step.need << ", which are there";
      need_[index(direction)] = step.need;
      return;
    }
    apply(*step.act, direction);
  }
}

Step Pump::walk(Direction direction) {
  const std::string& unread = unread_[index(direction)];
  const auto lent = std::make_unique<char[]>(unread.size());
  std::ranges::copy(unread, lent.get());
  Step step = conversation_.walk(direction, ByteView(lent.get(), unread.size()));
  EXPECT_LE(step.pass, unread.size());
  return step;
}

void Pump::consume(Direction direction, std::size_t bytes) {
  ASSERT_LE(bytes, unread_[index(direction)].size());
  unread_[index(direction)].erase(0, bytes);
}

void Pump::apply(const Act& act, Direction direction) {
  if (const auto* substitute = std::get_if<Substitute>(&act)) {
    consume(direction, substitute->bytes);
    written_[index(direction)] += substitute->with;
  } else if (const auto* answer = std::get_if<Answer>(&act)) {
    consume(direction, answer->bytes);
    written_[index(other(direction))] += answer->with;
  } else if (const auto* hold = std::get_if<Hold>(&act)) {
    held_[index(direction)] = *hold;
    const auto& other_hold = held_[index(other(direction))];
    const auto held = conversation_.held_unit();
    EXPECT_TRUE(held == hold->unit || (other_hold && held == other_hold->unit)) << hold->unit;
  } else {
    close(std::get<Close>(act));
  }
}

void Pump::close(const Close& act) {
  written_[index(Direction::kToClient)] += act.to_client;
  closed_ = true;
  reset_ = act.reset;
}

void Pump::end(Direction direction) {
  if (closed_) return;
  const std::optional<Act> act = conversation_.ended(direction);
  unread_[index(direction)].clear();
  if (act.has_value()) apply(*act, direction);
}

void Pump::release(Direction direction, Released why) {
  ASSERT_TRUE(held_[index(direction)].has_value());
  held_[index(direction)].reset();
  conversation_.released(direction, why);
  run(direction);
}

}  // namespace misrule::codecs
