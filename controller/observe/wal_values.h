#pragma once

// How does a column's value in a WAL stream become JSON? By its type, arrays and documents
// included.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace misrule::controller {

/// Of one value in an event; longer ones are cut.
inline constexpr std::size_t kWalValueBytesMax = std::size_t{64} * 1024;

/// Appends `text`, a value in the server's text format. `decode_text`: what is text and holds a
/// JSON object or array stands as that. False: it was too long, and stands as the text of its
/// beginning.
bool append_wal_value(std::string& out, std::uint32_t type_oid, std::string_view text,
                      bool decode_text);

}  // namespace misrule::controller
