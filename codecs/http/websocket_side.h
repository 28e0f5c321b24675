#pragma once

// One direction of a connection that became a WebSocket: messages are decided one by one once a
// rule is about them; until then frames pass as they come. Control frames always do.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codecs/conversation.h"
#include "codecs/http/session.h"
#include "codecs/http/websocket_frame.h"

namespace misrule::codecs::http {

class WebSocketSide {
 public:
  WebSocketSide(Session& session, Direction direction)
      : session_(session), from_client_(direction == Direction::kToServer) {}

  Step walk(ByteView unread);
  std::optional<Act> ended();
  void released(Released why);
  std::optional<std::uint64_t> held_unit() const { return held_; }

 private:
  // What becomes of the frames of the message that is under way.
  enum class Way : std::uint8_t { kNone, kPass, kGather, kLose };

  bool advance(ByteView rest, Step& step);
  bool read_head(ByteView rest, Step& step);
  bool take_head(const FrameHead& head, ByteView wire, Step& step);
  bool take_payload(ByteView rest, Step& step);
  void begin_message(const FrameHead& head);
  bool end_frame(Step& step);
  bool decide(Step& step);
  bool carry_out(Step& step);
  bool close(bool reset, Step& step);
  bool lose_track(std::string_view why, Step& step);
  std::string corrupted(const Verb& verb) const;
  void done(std::string_view reply, bool failed, bool delivered);
  bool beyond() const { return message_.size() > session_.limits().whole_bytes_max; }

  Session& session_;
  bool from_client_;
  Way way_ = Way::kNone;
  std::string partial_;  // A copy of a frame's head that is still coming.
  FrameHead frame_;
  std::uint64_t left_ = 0;                                    // Of the frame's payload.
  bool frame_passes_ = true;                                  // Into the other side, as it comes.
  bool message_ends_ = false;                                 // With this frame.
  std::string message_;                                       // What is gathered, as it came,
  std::string text_;                                          // and its payload.
  std::vector<std::pair<std::size_t, std::size_t>> payload_;  // Places of it in message_: at, size.
  std::optional<Verb> verb_;                                  // Of the message that is gathered.
  std::uint64_t unit_ = 0;
  std::optional<std::uint64_t> held_;
};

}  // namespace misrule::codecs::http
