#pragma once

// Where, in bytes of RESP, is what people mean by them, and what only frames it? Bytes of either
// can be changed; a value can end within what it holds.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace misrule::codecs::redis {

/// Contents of strings and lines. Of numbers the digits.
struct PayloadSpan {
  std::size_t at = 0;
  std::size_t size = 0;
  bool is_line = false;  ///< No line break may be put there.
};

/// `bytes`: the front of values, as far as it is there.
std::vector<PayloadSpan> payload_of(ByteView bytes);

/// Changes so many bytes (all, if there are fewer); false if there is none.
bool corrupt_payload(std::string& bytes, const std::vector<PayloadSpan>& spans, std::uint64_t count,
                     std::uint64_t seed);
/// Makes the length, or else the type, of a value in `bytes` one that nobody can read.
bool corrupt_framing(std::string& bytes, std::uint64_t seed);
/// How many bytes there are until so much of the payload has passed; nothing if it has no more.
std::optional<std::size_t> cut_after(const std::vector<PayloadSpan>& spans, std::uint64_t payload);

}  // namespace misrule::codecs::redis
