#pragma once

// The messages that we make ourselves.

#include <cstdint>
#include <string>
#include <string_view>

#include "codecs/facts.h"

namespace misrule::codecs::postgres {

/// As the server words one: severity twice (S and V), code, message.
std::string error_response(const ErrorText& error);

/// A statement that no server runs: it names a column that does not exist. The mark and the tag
/// stand in the server's log, by which such an error is known to be ours.
inline constexpr std::string_view kPoisonMark = "misrule_fault_";
std::string poison_statement(std::uint64_t tag);

std::string query_message(std::string_view sql);
/// In place of an Execute: a Parse that fails, so the server skips to the next Sync by itself.
std::string poison_execute(std::uint64_t tag);
/// In place of the Execute of a COMMIT: ROLLBACK, by a statement of our own that is closed again.
/// Its answers are ParseComplete, BindComplete, CommandComplete, CloseComplete.
std::string rollback_execute();

}  // namespace misrule::codecs::postgres
