#pragma once

// The server's direction of one connection: replies flow, are held or changed, and make room for
// injected ones.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codecs/conversation.h"
#include "codecs/http/body_change.h"
#include "codecs/http/body_reader.h"
#include "codecs/http/event_relay.h"
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
  bool take_interim(const ResponseHead& head, Step& step);
  bool begin_body(const ResponseHead& head, Step& step);
  bool pass_body(ByteView rest, Step& step);
  bool change_body(ByteView rest, Step& step);
  bool relay_events(ByteView rest, Step& step);
  bool complete(Step& step);
  bool lose(bool resets, Step& step);
  bool cut(std::string text, Step& step);
  void tell(std::string text, Step& step);
  // Nothing can be read any more. If we owe the client an answer, it can no longer be placed.
  bool lose_track(std::string_view why, Step& step);
  bool enter_tunnel(const ResponseHead& head, bool tunnels, Step& step);

  // A rule on the reply is asked; true: the reply is held first.
  bool decide_reply(Step& step);
  // What flows in the place of the head; nothing: it does.
  using Instead = std::optional<std::string>;
  Instead carry_out(const ResponseHead& head, const BodyFraming& framing);
  Instead tell_instead(const Verb& verb);
  Instead rewrite(const ResponseHead& head, const BodyFraming& framing, const Verb& verb);
  Instead corrupt(const ResponseHead& head, const BodyFraming& framing, const Verb& verb);
  Instead truncate(const BodyFraming& framing, std::uint64_t bytes);
  Instead skip(std::string_view why);
  Owed& front() { return session_.ledger().front(); }

  Session& session_;
  Mode mode_ = Mode::kHead;
  ResponseDecoder decoder_;
  std::string partial_;  // A copy of the head that is still coming.
  BodyReader body_;
  std::unique_ptr<BodyChange> change_;  // Null: the body passes as it comes.
  std::unique_ptr<EventRelay> events_;
  std::string tail_;               // Of a chunked body of events: its trailers and its end.
  std::vector<ByteView> payload_;  // For one walk.
  unsigned status_ = 0;            // Of the reply whose body flows.
  unsigned told_status_ = 0;       // In its place; 0: the same.
  bool solicited_ = false;         // It answers the front of the ledger.
  bool closes_ = false;
  bool until_close_ = false;
  std::optional<std::uint64_t> held_;
};

}  // namespace misrule::codecs::http
