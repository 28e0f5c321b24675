#pragma once

// What a decoder answers: not yet, one frame, or that the stream cannot be read.

#include <cstddef>
#include <string>
#include <variant>

namespace misrule::codecs {

/// Call again when at least this many bytes are unread, of which the front has not changed.
struct NeedMore {
  std::size_t bytes_min = 0;
};

/// The stream cannot be resynchronised; the decoder must not be called again.
struct DecodeError {
  std::string what = {};  ///< With value and bound: "length 3 is below 4".
};

template <class Frame>
using Decoded = std::variant<NeedMore, Frame, DecodeError>;

}  // namespace misrule::codecs
