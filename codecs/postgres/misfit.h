#pragma once

// Which decided verbs a statement cannot go through without the client and the server parting ways.

#include <string>
#include <string_view>

#include "codecs/postgres/ledger.h"

namespace misrule::codecs::postgres {

/// Why it cannot be carried out; empty: it can.
std::string_view misfit(const Unit& unit, const Statement& statement, bool in_failed_transaction);

/// The command tag of a made-up success: the plan's, or the statement's own.
std::string made_up_tag(const ReplyPlan& plan, const Statement& statement);

}  // namespace misrule::codecs::postgres
