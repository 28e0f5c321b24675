#pragma once

// MISRULE_CHECK: our own bugs end the process, in release builds too. Never for input.

#include <source_location>

namespace misrule {

[[noreturn]] void check_failed(const char* condition, std::source_location where);

}  // namespace misrule

#define MISRULE_CHECK(condition) \
  (static_cast<bool>(condition)  \
       ? static_cast<void>(0)    \
       : ::misrule::check_failed(#condition, std::source_location::current()))
