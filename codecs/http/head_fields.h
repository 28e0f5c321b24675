#pragma once

// The header fields that decide where a message ends.

#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "codecs/decoded.h"
#include "codecs/http/message_head.h"

namespace misrule::codecs::http {

/// A character of a token: a method, a field's name.
bool is_token_char(char c);
bool is_token(std::string_view text);
bool equal_without_case(std::string_view a, std::string_view b);

struct FieldContext {
  unsigned minor = 1;
  /// Of an absolute-form target; empty otherwise. A Host that says otherwise is an error.
  std::string_view authority = {};
};

/// `lines`: all field lines, each with its CRLF, without the empty line at the end.
std::variant<HeadFields, DecodeError> parse_fields(ByteView lines, const FieldContext& context);

}  // namespace misrule::codecs::http
