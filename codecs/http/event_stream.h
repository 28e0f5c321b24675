#pragma once

// Server-sent events, one by one.
//
// Reference: HTML, 9.2. A line ends with LF or CRLF; streams that end lines with CR alone are seen
// as one event without end.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace misrule::codecs::http {

class EventStream {
 public:
  void add(ByteView payload) { pending_ += payload; }
  /// The next event with the empty line that ends it, as it was sent.
  std::optional<std::string> next();
  /// Nothing of an event is under way.
  bool at_border() const { return pending_.empty(); }
  std::size_t bytes() const { return pending_.size(); }
  std::string take_rest();

 private:
  std::string pending_;
  std::size_t scanned_ = 0;  // Line ends before here are known.
};

/// What its data lines say, one by one: views into it.
std::vector<ByteView> data_lines(ByteView event);
/// The same, joined with LF; nothing if it has none (a comment that keeps the line busy).
std::optional<std::string> event_data(ByteView event);

}  // namespace misrule::codecs::http
