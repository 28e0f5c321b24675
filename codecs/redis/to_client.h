#pragma once

// What the server says: which command does it answer, what belongs to none, where is a rule's error
// to stand?

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "codecs/redis/reply.h"
#include "codecs/redis/session.h"
#include "codecs/redis/subscriptions.h"
#include "codecs/redis/value_scanner.h"

namespace misrule::codecs::redis {

class ToClient {
 public:
  explicit ToClient(Session& session) : session_(session), scanner_(session.limits.depth_max) {}

  Step walk(ByteView unread);
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const { return held_; }
  /// The server has ended its stream. What came of a value that is not complete is its last word.
  std::optional<Act> ended();

 private:
  /// A published message that a rule was asked about.
  struct Push {
    std::uint64_t unit = 0;
    Verb verb = {};
    std::size_t payload_at = 0;
  };
  /// What the value that is under way means once all of it has flowed.
  struct Meaning {
    bool answers = false;  ///< It ends the answer to the oldest command.
    char type = 0;
    std::string text = {};
  };

  // Each takes what is unread after step.pass; true: go on.
  bool advance(ByteView rest, Step& step);
  bool pass_ordinary(ByteView rest, Step& step);
  bool read_value(ByteView rest, Step& step);
  bool answers_ordinary();
  bool take_ordinary(ByteView value, Step& step);
  bool flow_on(ByteView rest, Step& step);
  bool begins_snapshot(ByteView rest);
  bool begin_snapshot();
  bool begin_exec(ByteView rest, Step& step);
  bool take_value(ByteView gathered, Step& step);
  bool take_answer(const Reply& reply, const std::optional<PubsubMessage>& message, Step& step);
  bool redirect(const Reply& reply, Step& step);
  bool readdress(const Reply& reply, Step& step);
  bool take_touched(const Reply& reply, Step& step);
  bool inject(Step& step);
  bool lose(const Reply& reply, Step& step);
  bool mask(const Reply& reply, Step& step);
  bool respond(const Reply& reply, Step& step);
  bool rewrite(const Reply& reply, Step& step);
  bool corrupt(const Reply& reply, Step& step);
  bool truncate(const Reply& reply, Step& step);
  bool replace_value(std::string with, Step& step);
  bool replace_front(std::string with, Meaning meaning, Step& step);
  bool end_with(std::string last, bool by_reset, Step& step);
  bool push(ByteView value, Step& step);
  bool decide_push(ByteView value);
  bool carry_out_push(ByteView value, Step& step);
  bool pass_push(std::string_view why, Step& step);
  void tell_push(std::string_view what, bool failed);
  std::size_t gather_max();
  ByteView gathered_value() const { return gathered_.substr(scanner_.value_offset()); }
  bool lose_exec(Step& step);
  bool pass_value(Meaning meaning, Step& step);
  bool end_in_place(Step& step);
  bool lose_track(std::string_view why, Step& step);

  std::optional<PubsubMessage> pubsub_of(ByteView value, char type);
  bool is_unasked(const Reply& reply, const std::optional<PubsubMessage>& message);
  bool ends_answer(Owed& head, const PubsubMessage& message);
  void drop_silent_heads(const std::optional<PubsubMessage>& message);
  void note(const PubsubMessage& message, char type);
  bool hold_reply(Owed& head, Step& step);
  void keep_partial(ByteView rest);
  void value_ended(Meaning meaning);
  void answered(Meaning meaning);
  void settle(const Owed& owed, const Meaning& meaning);
  void transaction_ended(bool is_failure);
  void start_value();
  bool pass_real(const Reply& reply, Step& step);

  /// The command that the next answer belongs to; null if none is owed.
  Owed* head();
  Owed take_head();

  Session& session_;
  ValueScanner scanner_;
  std::size_t scanned_ = 0;  // Of the value whose front is being gathered.
  bool flowing_ = false;     // The front has flowed, the rest streams.
  bool swallowing_ = false;  // What streams does not reach the client.
  bool in_exec_ = false;     // Within EXEC's answer: the queue's commands are answered.
  Meaning meaning_;
  std::string exec_text_;
  std::string partial_;  // A copy of what was gathered.
  ByteView gathered_;    // Of the value that is looked at, within one walk.
  std::unique_ptr<Push> push_;
  int version_ = 2;
  Subscriptions subscriptions_;
  bool monitoring_ = false;
  std::optional<std::uint64_t> held_;
};

}  // namespace misrule::codecs::redis
