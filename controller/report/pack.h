#pragma once

// How much text becomes a small piece of a page: compressed, and in letters that no parser reads.

#include <string>
#include <string_view>

namespace misrule::controller {

/// As gzip makes it; the same text gives the same bytes.
std::string gzipped(std::string_view text);

/// Of the standard alphabet, padded, without line breaks.
std::string base64(std::string_view bytes);

}  // namespace misrule::controller
