#pragma once

// What the client says: commands are read, decided, and passed on or put something else in their
// place.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/conversation.h"
#include "codecs/redis/command.h"
#include "codecs/redis/command_name.h"
#include "codecs/redis/reply_mode.h"
#include "codecs/redis/session.h"

namespace misrule::codecs::redis {

class ToServer {
 public:
  explicit ToServer(Session& session) : session_(session), decoder_(session.limits) {}

  Step walk(ByteView unread);
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const { return held_; }
  /// No more will come, or go: what was decided and not sent will not be.
  void ended();

 private:
  /// A command that is decided and has not flowed yet.
  struct Pending {
    std::size_t bytes = 0;
    bool whole = true;
    Owed owed = {};
    ReplyMode::Said said = ReplyMode::Said::kNothing;
    bool told_late = false;
    std::string with = {};  ///< What the server is given of it before the connection ends.
  };

  // Each takes what is unread after step.pass; true: go on.
  bool advance(ByteView rest, Step& step);
  bool pass_rest(ByteView rest, Step& step);
  bool pass_plain(ByteView rest, Step& step);
  bool read_command(ByteView rest, Step& step);
  bool take_command(const Command& command, Step& step);
  bool carry_out(ByteView rest, Step& step);
  bool forward_plain(std::size_t bytes, Step& step);
  bool forward(Pending pending, Step& step);
  bool poison(Pending pending, Step& step);
  bool respond(Pending pending, Step& step);
  bool duplicate(Pending pending, ByteView rest, Step& step);
  bool damage(Pending pending, ByteView rest, Step& step);
  bool end_connection(Pending pending, Step& step);

  bool decide_connection(Step& step);
  std::unique_ptr<Touched> touch(Verb& verb, const Command& command, const CommandName& name);
  Verb decide(const Command& command, const CommandName& name);
  bool is_queued(const Owed& owed) const;
  void expect_state_after(const Owed& owed);
  void owe_without_answer(Owed owed);

  Session& session_;
  CommandDecoder decoder_;
  const ServerCommands* server_ = nullptr;  // During walk().
  ReplyMode mode_;
  std::optional<Pending> pending_;
  std::optional<std::uint64_t> held_;
  bool drops_rest_ = false;  // Of the command that is under way.
  bool drops_all_ = false;   // The connection ends before any of it would be answered.
  bool closes_next_ = false;
  bool began_ = false;
  std::uint32_t db_outside_ = 0;  // What was selected when the transaction began.
  std::vector<ByteView> keys_;
  std::string plain_name_;  // Of the last plain command, as it was sent.
};

}  // namespace misrule::codecs::redis
