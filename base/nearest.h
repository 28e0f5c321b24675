#pragma once

// Which name did somebody mean who wrote one that nobody knows?

#include <span>
#include <string>
#include <string_view>

namespace misrule {

/// The candidate with the fewest edits from `name`, if those are few; else empty.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

/// " (did you mean fault?)", or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace misrule
