#pragma once

// What string methods share: substrings by position, white space, pieces.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/args.h"
#include "spec/starlark/value.h"

namespace misrule::star {

/// The string that a method was called on.
std::string_view self_text(const Args& args);

/// The part of `text` between two indexes as methods understand them (negative: from the end;
/// clamped).
struct TextPart {
  std::string_view text = {};
  std::int64_t offset = 0;
};
TextPart text_part(std::string_view text, const std::optional<std::int64_t>& start,
                   const std::optional<std::int64_t>& stop);

/// Around runs of white space; at most `max` splits if that is not negative.
std::vector<std::string_view> split_blanks(std::string_view text, std::int64_t max);
std::vector<std::string_view> split_blanks_right(std::string_view text, std::int64_t max);
std::string_view strip_left(std::string_view text, std::string_view set);
std::string_view strip_right(std::string_view text, std::string_view set);
Value strings_to_list(const std::vector<std::string_view>& parts);

// Method groups; string_methods.cc makes the table of them.
Value string_split(Args& args);
Value string_rsplit(Args& args);
Value string_splitlines(Args& args);
Value string_strip(Args& args);
Value string_lstrip(Args& args);
Value string_rstrip(Args& args);
Value string_partition(Args& args);
Value string_rpartition(Args& args);
Value string_capitalize(Args& args);
Value string_lower(Args& args);
Value string_upper(Args& args);
Value string_title(Args& args);
Value string_isalnum(Args& args);
Value string_isalpha(Args& args);
Value string_isdigit(Args& args);
Value string_islower(Args& args);
Value string_isspace(Args& args);
Value string_istitle(Args& args);
Value string_isupper(Args& args);
Value string_format(Args& args);

}  // namespace misrule::star
