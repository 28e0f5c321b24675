#pragma once

// The reply of a unit that the server was not asked.

#include <string>

#include "base/result.h"
#include "codecs/postgres/ledger.h"
#include "codecs/postgres/rows.h"

namespace misrule::codecs::postgres {

/// As they were described, in the formats that were bound; none: it returns no rows. The error says
/// what is not known.
Result<Columns> columns_of(const Named& portal);

/// Everything up to the command tag.
Result<std::string> made_up_reply(const Owed& owed);

}  // namespace misrule::codecs::postgres
