#pragma once

// What must not stand in an event or a report.

#include <string>
#include <string_view>

namespace misrule {

/// SQL with the literal that follows each PASSWORD masked, however it is quoted:
/// ALTER ROLE r PASSWORD 'secret' -> ALTER ROLE r PASSWORD '***'.
std::string without_passwords(std::string_view sql);

}  // namespace misrule
