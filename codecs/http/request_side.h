#pragma once

// The client's direction of one connection: requests are read, decided, and passed on, changed,
// answered or thrown away.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codecs/conversation.h"
#include "codecs/http/body_change.h"
#include "codecs/http/body_reader.h"
#include "codecs/http/message_head.h"
#include "codecs/http/replies.h"
#include "codecs/http/session.h"

namespace misrule::codecs::http {

class RequestSide {
 public:
  explicit RequestSide(Session& session)
      : session_(session), decoder_(session.limits()), body_(session.limits()) {}

  Step walk(ByteView unread);
  /// The client has ended its stream. What came of a head that is not complete is its last word.
  std::optional<Act> ended();
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const { return held_; }

 private:
  enum class Mode : std::uint8_t {
    kHead,
    kGather,    // Its body is read ahead: to be seen, or because it is sent twice.
    kGathered,  // It has been; to be decided.
    kDecided,   // A request goes on with its verb.
    kBody,      // Flows to the server.
    kDrain,     // Is thrown away; the answer follows.
    kDiscard,   // So is everything until the connection ends.
  };
  // What is remembered of a request once its bytes may have moved.
  struct Current {
    std::size_t head_bytes = 0;
    BodyFraming body = {};
    ReplyTo reply_to = {};
    bool expects_continue = false;
    bool persists = false;  ///< HTTP/1.1, and nobody said that the connection ends.
    bool accepts_events = false;
    bool decided = false;
    Verb verb = {};
    Owed owed = {};  ///< Until it is decided.
    std::unique_ptr<Asked> asked = {};
    std::string gathered = {};  ///< What of it has been read ahead; else it is still unread.
  };

  // Each takes what is unread after step.pass; true: go on.
  bool advance(ByteView rest, Step& step);
  bool read_head(ByteView rest, Step& step);
  bool take_request(const RequestHead& head, Step& step);
  bool pass_untouched(const RequestHead& head, Step& step);
  bool gather(ByteView rest, Step& step);
  bool decide_gathered(Step& step);
  bool settle(ByteView rest, Step& step);
  bool carry_out(ByteView rest, Step& step);
  bool duplicate(ByteView rest, Step& step);
  bool forward(ByteView rest, Step& step);
  bool replace(Step& step);
  bool pass_body(ByteView rest, Step& step);
  bool change_body(ByteView rest, Step& step);
  bool drain_body(ByteView rest, Step& step);
  bool cut(Step& step);

  static Current describe(const RequestHead& head);
  void begin_gathering(ByteView head, Step& step);
  void decide(Facts facts, const RequestDetails& details);
  void remember(const RequestHead* head);
  // What of the verb is for the reply.
  void plan_reply();
  // How the body is changed on its way, and what flows in the place of the head.
  std::optional<std::string> change_request(ByteView head);
  std::string flow_gathered(std::string out);
  void finish_change(std::string& out);
  std::string_view why_not_twice(ByteView head) const;
  void skip(std::string_view why);
  void prepare_answer(bool close);
  // Drops `bytes`, and sends the client what has become ready.
  void drop_and_emit(std::size_t bytes, Step& step);
  bool read_ahead() const { return !current_.gathered.empty(); }
  Owed& owed() { return session_.ledger().back(); }

  Session& session_;
  Mode mode_ = Mode::kHead;
  RequestDecoder decoder_;
  BodyReader body_;
  std::string partial_;  // A copy of the head that is still coming.
  Current current_;
  std::unique_ptr<BodyChange> change_;  // Null: the body passes as it comes.
  std::vector<ByteView> payload_;       // For one walk.
  bool breaks_framing_ = false;
  bool cuts_ = false;  // The connection ends with the next walk.
  std::uint64_t drained_ = 0;
  std::optional<std::uint64_t> held_;
};

}  // namespace misrule::codecs::http
