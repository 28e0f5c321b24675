#pragma once

// Words as protocols compare them: ASCII letters without case.

#include <string>
#include <string_view>

namespace misrule::rules {

bool equal_without_case(std::string_view a, std::string_view b);
std::string in_capitals(std::string_view text);
/// Up to the first byte that is no ASCII letter: "INSERT" of "INSERT INTO t".
std::string_view first_word(std::string_view text);
/// Cut at `bytes_max`, with "..." where something was cut, never within a UTF-8 character.
std::string shortened(std::string_view text, std::size_t bytes_max);

}  // namespace misrule::rules
