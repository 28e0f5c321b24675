#pragma once

// The server's direction of one connection: replies flow, are held, and make room for injected
// ones.

#include <cstdint>
#include <optional>
#include <string>

#include "codecs/conversation.h"
#include "codecs/http/body_reader.h"
#include "codecs/http/message_head.h"
#include "codecs/http/session.h"

namespace misrule::codecs::http {

class ReplySide {
 public:
  explicit ReplySide(Session& session)
      : session_(session), decoder_(session.limits()), body_(session.limits()) {}

  Step walk(ByteView unread);
  /// The server has ended its stream. What came of a head that is not complete is its last word.
  std::optional<Act> ended();
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const { return held_; }

 private:
  enum class Mode : std::uint8_t { kHead, kBody };

  // Each takes what is unread after step.pass; true: go on.
  bool advance(ByteView rest, Step& step);
  bool read_head(ByteView rest, Step& step);
  bool take_head(const ResponseHead& head, Step& step);
  bool pass_body(ByteView rest, Step& step);
  bool complete(Step& step);
  void flow(std::size_t bytes, Step& step);
  bool lose(Step& step);
  void tell(std::string text, Step& step);
  // Nothing can be read any more. If we owe the client an answer, it can no longer be placed.
  bool lose_track(std::string_view why, Step& step);
  void enter_tunnel();

  Session& session_;
  Mode mode_ = Mode::kHead;
  ResponseDecoder decoder_;
  std::string partial_;  // A copy of the head that is still coming.
  BodyReader body_;
  unsigned status_ = 0;     // Of the reply whose body flows.
  bool solicited_ = false;  // It answers the front of the ledger.
  bool masked_ = false;     // It is read and not passed on: something else is told.
  bool closes_ = false;
  bool until_close_ = false;
  std::optional<std::uint64_t> held_;
};

}  // namespace misrule::codecs::http
