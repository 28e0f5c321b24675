#pragma once

// When a service counts as ready, and what a server's own log says about its state.

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "controller/launch/service_plan.h"

namespace misrule::controller {

/// One try, past every proxy: at protocol level where the health check names a declared interface.
/// Without a health check every interface must answer.
Status probe_service(const ServicePlan& plan);

/// What a line of PostgreSQL's log says (messages that have been the same since version 9).
enum class LogHint : std::uint8_t {
  kNothing,
  kCrashed,  ///< A process of it died; it will repair itself.
  kAccepts,  ///< It accepts connections (again).
};
LogHint read_hint(std::string_view line);
bool speaks_postgres(const ServicePlan& plan);
/// Its log can be read for hints.
bool says_when_it_accepts(const ServicePlan& plan);

}  // namespace misrule::controller
