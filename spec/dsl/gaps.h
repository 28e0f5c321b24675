#pragma once

// What is known to be missing among the events of a test? That nothing was found there says
// nothing.

#include <optional>
#include <string>

#include "spec/model/event.h"

namespace misrule::dsl {

struct Gap {
  std::string service = {};
  std::string type = {};  ///< Of the events that are not all there.
  std::string why = {};   ///< "not all that api printed is recorded: more than 2 lines"
};

/// Nothing unless the event is one that says so.
std::optional<Gap> gap_of(const model::Event& event);
/// Events of this type may be missing.
bool is_about(const Gap& gap, std::string_view type);

}  // namespace misrule::dsl
