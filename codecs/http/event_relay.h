#pragma once

// The server-sent events of one reply, each decided for itself once a rule is about events.
//
// Until then their bytes flow as they came. From then on each event that passes is a chunk of its
// own, where the reply is chunked.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "codecs/conversation.h"
#include "codecs/http/asked.h"
#include "codecs/http/body_reader.h"
#include "codecs/http/event_stream.h"
#include "codecs/http/session.h"

namespace misrule::codecs::http {

class EventRelay {
 public:
  EventRelay(Session& session, std::unique_ptr<Asked> asked, bool chunked)
      : session_(session), asked_(std::move(asked)), chunked_(chunked) {}

  /// Does a rule want events from here on? `reader` stands where the next byte is expected.
  bool decides(const BodyReader& reader);
  /// While it does not: the payload that flowed.
  void saw(std::span<const ByteView> payload);
  /// While it does: what came.
  void add(std::span<const ByteView> payload);
  /// Goes on with what has been added: an act, or nothing if no event is complete.
  std::optional<Act> next();
  /// What ends the body: `tail` are its trailers and its end, as they came.
  std::string finish(ByteView tail);

 private:
  std::string as_sent(std::string event) const;
  Act carry_out();
  void corrupt(std::string& event, const Verb& verb);
  void done(std::string_view reply, bool failed);

  Session& session_;
  std::unique_ptr<Asked> asked_;
  bool chunked_;
  bool deciding_ = false;
  EventStream stream_;
  std::optional<Verb> verb_;  // Of the event that is under way.
  std::uint64_t unit_ = 0;
  std::string event_;
};

}  // namespace misrule::codecs::http
