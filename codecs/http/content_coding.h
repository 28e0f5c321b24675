#pragma once

// Compressed bodies, made readable.

#include <cstddef>
#include <expected>
#include <string>

#include "base/bytes.h"

namespace misrule::codecs::http {

bool is_decodable(std::string_view coding);

/// At most `bytes_max` of them; else why not.
std::expected<std::string, std::string> decode_content(std::string_view coding, ByteView body,
                                                       std::size_t bytes_max);

}  // namespace misrule::codecs::http
