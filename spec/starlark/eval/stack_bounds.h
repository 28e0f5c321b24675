#pragma once

namespace misrule::star {

/// Is so little of this OS thread's stack left that no call should begin?
bool stack_exhausted();

}  // namespace misrule::star
