#pragma once

// What a rule sees of SQL text, and where one statement ends and the next begins.
//
// The normal form, which patterns are matched against: comments and blanks become one blank, or
// nothing at the ends; letters outside quotes are in lower case; a quoted name that means the same
// without its quotes ("payments") loses them. Literals, $1 and everything else stay as they were
// sent. So `INSERT INTO payments*` matches a statement with parameters and one with literals alike.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/postgres/sql_lexer.h"

namespace misrule::codecs::postgres {

enum class StatementKind : std::uint8_t {
  kOther,
  kBegin,               ///< BEGIN, START TRANSACTION.
  kCommit,              ///< COMMIT, END.
  kPrepareTransaction,  ///< Ends the transaction as COMMIT does.
  kRollback,            ///< ROLLBACK, ABORT.
  kRollbackTo,          ///< ROLLBACK TO a savepoint.
  kSet,
  kReset,
  kPrepare,
  kExecute,
  kDeallocate,
  kDiscard,
};

std::string normal_form(std::string_view sql, Backslash backslash = Backslash::kOrdinary);

/// The kind of one statement, from its normal form.
StatementKind kind_of(std::string_view normal);

/// Whatever else it says: it is one statement, by its first word one that changes neither the
/// transaction nor what the session remembers. False also where that takes a closer look.
bool is_plain(std::string_view sql);

/// One statement of a string: [begin, end), without what stands around it and its semicolon.
struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;
};
/// The statements that the server would run, in order; empty ones are none.
std::vector<Extent> split_statements(std::string_view sql,
                                     Backslash backslash = Backslash::kOrdinary);

/// PREPARE name ... AS statement.
struct PrepareStatement {
  std::string name = {};
  std::string_view statement = {};  ///< A view into the text given.
};
std::optional<PrepareStatement> read_prepare(std::string_view sql);
/// EXECUTE name ...
std::optional<std::string> read_execute(std::string_view sql);
/// DEALLOCATE name; the empty name is ALL.
std::optional<std::string> read_deallocate(std::string_view sql);

}  // namespace misrule::codecs::postgres
