#pragma once

// The conditions of appendix A of the PostgreSQL documentation.

#include <span>

#include "codecs/postgres/sqlstate.h"

namespace misrule::codecs::postgres {

std::span<const SqlCondition> sql_conditions();

}  // namespace misrule::codecs::postgres
