#pragma once

// HTTP/1.x message heads: where one ends, and what it says about what follows.
//
// Reference:   RFC 9112 (framing), RFC 9110 (fields).
// Not decoded: HTTP/0.9, HTTP/2, and every head that two readers could take differently (obs-fold,
//              bare LF, blanks before a colon, Content-Length beside Transfer-Encoding, ...). They
//              are errors here, never repaired; the connection then flows undecoded.

#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/http/limits.h"

namespace misrule::codecs::http {

/// How the body of a message is delimited.
struct BodyFraming {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose } kind = Kind::kNone;
  std::uint64_t length = 0;  ///< kLength.
  bool operator==(const BodyFraming&) const = default;
};

/// What the fields of a head say, as far as framing and the life of the connection depend on it.
struct HeadFields {
  std::optional<std::uint64_t> content_length = {};
  bool chunked = false;
  bool close = false;           ///< Connection: close.
  bool keep_alive = false;      ///< Connection: keep-alive.
  bool upgrade = false;         ///< Connection: upgrade, with an Upgrade field.
  bool websocket = false;       ///< The same, to a WebSocket.
  bool accepts_events = false;  ///< Accept: text/event-stream.
  bool expects_continue = false;
};

/// The views point into the bytes given to next(), and die with them.
struct RequestHead {
  ByteView wire = {};  ///< Up to and with the empty line. Forward these bytes.
  ByteView method = {};
  ByteView target = {};  ///< As sent.
  unsigned minor = 1;    ///< HTTP/1.minor.
  HeadFields fields = {};

  BodyFraming body() const;
  /// Will the connection end after the reply?
  bool closes() const;
};

struct ResponseHead {
  ByteView wire = {};
  unsigned status = 0;
  unsigned minor = 1;
  HeadFields fields = {};

  /// Depends on what was asked for: HEAD has no body.
  BodyFraming body(bool answers_head) const;
  bool closes() const;
};

/// Of "http://host:80/path"; empty for the other forms.
ByteView authority_of(ByteView target);

/// An empty line before a request, which servers are to ignore (RFC 9112, 2.2).
struct EmptyLine {};

/// Finds the end of a head, line by line, without looking at a byte twice.
class HeadScanner {
 public:
  explicit HeadScanner(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The head at the front of `unread`. After a head or an error it starts over.
  Decoded<ByteView> next(ByteView unread);
  bool at_start() const { return scanned_ == 0; }

 private:
  std::size_t bytes_max_;
  std::size_t scanned_ = 0;
  std::size_t line_start_ = 0;
};

class RequestDecoder {
 public:
  explicit RequestDecoder(const Limits& limits)
      : method_bytes_max_(limits.method_bytes_max), scanner_(limits.head_bytes_max) {}

  /// Looks for a head at the front of `unread`. Bytes that cannot become one are an error at once,
  /// not when a line is complete: whoever speaks another protocol may wait for an answer.
  std::variant<NeedMore, RequestHead, EmptyLine, DecodeError> next(ByteView unread);

 private:
  std::optional<DecodeError> find_foreign_start(ByteView unread) const;

  std::size_t method_bytes_max_;
  HeadScanner scanner_;
};

class ResponseDecoder {
 public:
  explicit ResponseDecoder(const Limits& limits) : scanner_(limits.head_bytes_max) {}

  Decoded<ResponseHead> next(ByteView unread);

 private:
  HeadScanner scanner_;
};

}  // namespace misrule::codecs::http
