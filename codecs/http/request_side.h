#pragma once

// The client's direction of one connection: requests are read, decided, and passed on, answered or
// thrown away.

#include <cstdint>
#include <optional>
#include <string>

#include "codecs/conversation.h"
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
    kDecided,  // A held request goes on with its verb.
    kBody,     // Flows to the server.
    kDrain,    // Is thrown away; the answer follows.
    kDiscard,  // So is everything until the connection ends.
  };
  // What is remembered of a head once its bytes may have moved.
  struct Current {
    std::size_t head_bytes = 0;
    BodyFraming body = {};
    ReplyTo reply_to = {};
    bool expects_continue = false;
    Verb verb = {};
  };

  // Each takes what is unread after step.pass; true: go on.
  bool advance(ByteView rest, Step& step);
  bool read_head(ByteView rest, Step& step);
  bool take_request(const RequestHead& head, Step& step);
  bool carry_out(ByteView rest, Step& step);
  bool forward(Step& step);
  bool replace(Step& step);
  bool pass_body(ByteView rest, Step& step);
  bool drain_body(ByteView rest, Step& step);

  Verb decide(const RequestHead& head);
  ErrorText status_error() const;
  void prepare_answer(bool close);
  // Drops `bytes`, and sends the client what has become ready.
  void drop_and_emit(std::size_t bytes, Step& step);

  Session& session_;
  Mode mode_ = Mode::kHead;
  RequestDecoder decoder_;
  BodyReader body_;
  std::string partial_;  // A copy of the head that is still coming.
  Current current_;
  std::uint64_t drained_ = 0;
  std::uint64_t last_unit_ = 0;
  std::optional<std::uint64_t> held_;
};

}  // namespace misrule::codecs::http
