#pragma once

// Errno names as specs spell them. Declared again in interceptor.h for other folders.

#include <string>
#include <string_view>
#include <vector>

namespace misrule::interceptor {

int errno_from_name(std::string_view name);
const std::vector<std::string>& errno_names();

}  // namespace misrule::interceptor
