#pragma once

// PostgreSQL's arrays of one dimension, in text and in binary.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

/// The type of an array's elements; 0: it is no array that is known.
std::uint32_t element_type(std::uint32_t array);

/// Null: NULL.
using Elements = std::vector<std::optional<std::string>>;

/// "{1,NULL,\"a b\"}". Nothing if it is not of that form, or has more than one dimension.
std::optional<Elements> parse_array(std::string_view text);
std::string array_text(const Elements& elements);

/// Elements in binary to the array in binary.
std::string encode_array(std::uint32_t element, const Elements& elements);
/// Nothing if it has more than one dimension, too.
std::optional<Elements> decode_array(std::uint32_t element, ByteView bytes);

}  // namespace misrule::codecs::postgres
