#pragma once

// What is read out of single messages.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

/// ErrorResponse, NoticeResponse. Views into the head given.
struct ErrorFields {
  std::string_view severity = {};  ///< Not localised where the server says it so.
  std::string_view code = {};
  std::string_view message = {};

  bool is_fatal() const { return severity == "FATAL" || severity == "PANIC"; }
  /// "ERROR 40001: could not serialize access".
  std::string as_text() const;
};
/// What is missing or cut off stays empty.
ErrorFields read_error(ByteView head);

/// "SELECT 3" -> 3, "INSERT 0 2" -> 2; -1 for a tag without a count.
std::int64_t rows_of_tag(std::string_view tag);

/// Describe and Close: what is named.
struct Target {
  bool is_portal = false;
  std::string_view name = {};
};
std::optional<Target> read_target(ByteView head);

/// The texts at the front of a head: Parse is name and SQL, Bind is portal and statement. The last
/// may be cut off by the end of the head.
struct TwoTexts {
  std::string_view first = {};
  std::string_view second = {};
};
std::optional<TwoTexts> read_two_texts(ByteView head);

/// What stands behind two texts; empty if it is not there.
std::string_view read_behind_two_texts(ByteView head);
/// Parse: the types of its parameters as they are in there, four bytes each.
std::string_view read_parameter_types(ByteView head);

/// Execute: how many rows the client asks for; 0: all.
std::uint32_t read_rows_max(ByteView head);

/// A text that ends with a NUL, or with the head.
std::string_view read_text(ByteView head);

}  // namespace misrule::codecs::postgres
