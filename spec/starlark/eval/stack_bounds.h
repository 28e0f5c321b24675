#pragma once

namespace misrule::star {

/// Is so little of this OS thread's stack left below `here` that no call should begin?
bool stack_exhausted(const char* here);

}  // namespace misrule::star
