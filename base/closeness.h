#pragma once

// How near does a text come to a glob that it does not match? For people who ask why a rule never
// fired: a rough measure, not an edit distance.

#include <string_view>

namespace misrule {

inline constexpr unsigned kClosest = 1000;

/// How much of the glob's own characters the text has, in their order, in thousandths. Upper and
/// lower case count as the same. 0 for a glob of wildcards alone.
unsigned closeness(std::string_view glob, std::string_view text);

}  // namespace misrule
