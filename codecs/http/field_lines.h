#pragma once

// The fields of a head that has been understood, one by one and as they were sent.

#include <optional>

#include "base/bytes.h"

namespace misrule::codecs::http {

struct FieldLine {
  ByteView line = {};  ///< With its CRLF.
  ByteView name = {};
  ByteView value = {};  ///< Without blanks around it.
};

class FieldLines {
 public:
  /// `head`: from the first line to the empty one, as decoders give it.
  explicit FieldLines(ByteView head);
  std::optional<FieldLine> next();

 private:
  ByteView left_;
};

/// The value of the first field of this name, without case.
std::optional<ByteView> find_field(ByteView head, std::string_view name);

}  // namespace misrule::codecs::http
