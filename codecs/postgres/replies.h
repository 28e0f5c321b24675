#pragma once

// The messages that we make ourselves.

#include <cstdint>
#include <string>
#include <string_view>

#include "codecs/facts.h"

namespace misrule::codecs::postgres {

void append_message(std::string& out, char type, std::string_view body);
std::string command_complete(std::string_view tag);

/// As the server words one: severity twice (S and V), code, message.
std::string error_response(const ErrorText& error);

/// A statement that no server runs: it names a column that does not exist. The mark and the tag
/// stand in the server's log, by which such an error is known to be ours.
inline constexpr std::string_view kPoisonMark = "misrule_fault_";
std::string poison_statement(std::uint64_t tag);

std::string query_message(std::string_view sql);
/// In place of an Execute: a Parse that fails, so the server skips to the next Sync by itself.
std::string poison_execute(std::uint64_t tag);
/// `rows_max` rows of the portal, and then the failing Parse: rows, PortalSuspended, an error.
std::string execute_then_poison(std::string_view portal, std::uint64_t rows_max, std::uint64_t tag);
/// In place of a Query: its columns are asked for. ParseComplete, ParameterDescription, its
/// columns, CloseComplete, ReadyForQuery.
std::string describe_statement(std::string_view sql);
/// Binds `statement` again to a portal of our own, executes and closes it: BindComplete, its rows,
/// CommandComplete, CloseComplete. `bound` is the first Bind behind its names.
std::string execute_again(std::string_view statement, std::string_view bound);
/// Fails a COPY FROM STDIN; the tag stands in the server's error.
std::string copy_fail(std::uint64_t tag);
/// In place of the Execute of a COMMIT: ROLLBACK, by a statement of our own that is closed again.
/// Its answers are ParseComplete, BindComplete, CommandComplete, CloseComplete.
std::string rollback_execute();

}  // namespace misrule::codecs::postgres
