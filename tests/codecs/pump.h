#pragma once

// A pump without sockets: drives a Conversation as codecs/conversation.h promises, and checks that
// the conversation keeps its own side of it.
//
// The bytes that a walk sees lie in memory of their own that is freed right after, so that a view
// which is kept too long is found by the sanitizer.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/conversation.h"
#include "tests/codecs/grind.h"

namespace misrule::codecs {

/// Decides as a test says, and writes down what it is told, one line each.
class RecordingHost final : public ConversationHost {
 public:
  /// Called for each unit; by default everything is forwarded.
  std::function<Verb(const Facts&)> decide_as = {};
  /// What a rule would want to know, or units of which phase; by default nothing.
  std::vector<Detail> wanted = {};
  std::vector<Phase> wanted_phases = {};
  /// When nothing wants to hear of units; by default never.
  std::function<bool()> idle_when = {};
  /// Units that went their way meanwhile.
  std::uint64_t counted = 0;
  /// "decide 1 GET /orders", "exchanged 1 200", "hold_ended 1 cancelled", "skipped 1 why",
  /// "opaque why".
  std::vector<std::string> log = {};
  /// The same for units alone: what was decided, and what became of it.
  std::vector<Exchange> exchanges = {};
  std::size_t decided = 0;
  std::optional<std::string> opaque = {};
  std::string cancel_key = {};
  /// Whether cancel_held() finds a connection with this key.
  std::string held_key = {};

  Verb decide(const Facts& facts) override;
  bool is_idle() const override { return idle_when && idle_when(); }
  void passed(std::uint64_t units) override { counted += units; }
  void exchanged(const Exchange& exchange) override;
  bool follows() const override { return !open_.empty(); }
  void hold_ended(std::uint64_t unit, Released why) override;
  void went_opaque(std::string_view why) override;
  void cancellable_by(std::string_view key) override;
  bool cancel_held(std::string_view key) override;
  bool wants(Detail what) const override { return std::ranges::find(wanted, what) != wanted.end(); }
  bool wants(Phase phase) const override {
    return std::ranges::find(wanted_phases, phase) != wanted_phases.end();
  }
  void skipped(std::uint64_t unit, std::string_view why) override;

 private:
  std::vector<std::uint64_t> open_;  // Decided, and not told as exchanged.
};

class Pump {
 public:
  explicit Pump(Conversation& conversation) : conversation_(conversation) {}

  /// Bytes arrive. They wait while the direction is held.
  void feed(Direction direction, std::string_view bytes);
  void feed(const Recording& recording);
  /// The side that the direction comes from ends its stream.
  void end(Direction direction);
  /// The hold of this direction is over.
  void release(Direction direction, Released why = Released::kDue);

  const std::string& to_server() const { return written_[index(Direction::kToServer)]; }
  const std::string& to_client() const { return written_[index(Direction::kToClient)]; }
  const std::optional<Hold>& held(Direction direction) const { return held_[index(direction)]; }
  /// What is waiting in front of the conversation.
  const std::string& unread(Direction direction) const { return unread_[index(direction)]; }
  bool closed() const { return closed_; }
  bool reset() const { return reset_; }

 private:
  static std::size_t index(Direction direction) { return static_cast<std::size_t>(direction); }
  static Direction other(Direction direction);

  void run(Direction direction);
  Step walk(Direction direction);
  void apply(const Act& act, Direction direction);
  void close(const Close& act);
  void consume(Direction direction, std::size_t bytes);

  Conversation& conversation_;
  std::array<std::string, 2> unread_;
  std::array<std::string, 2> written_;
  std::array<std::size_t, 2> need_ = {};
  std::array<std::optional<Hold>, 2> held_;
  bool closed_ = false;
  bool reset_ = false;
};

}  // namespace misrule::codecs
