#pragma once

// What a statement is about, as PostgreSQL's own parser reads it.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace misrule::codecs::postgres {

struct StatementShape {
  bool parsed = false;                    ///< False: the parser refuses it; the rest is empty.
  std::string kind = {};                  ///< "SELECT", "CREATE TABLE".
  std::vector<std::string> tables = {};   ///< Each as it is named: "orders", "shop.orders".
  std::vector<std::string> schemas = {};  ///< Those that are named.
  std::vector<std::string> columns = {};  ///< Those that are named, without their table.
};
using ShapePtr = std::shared_ptr<const StatementShape>;

/// Parses one statement. `normal` is its normal form.
StatementShape parse_statement(const std::string& raw, std::string_view normal);

/// The same, remembered: each distinct text is parsed once on each thread, as long as there is
/// room for it.
ShapePtr shape_of(const std::string& raw, std::string_view normal);

/// How often this thread has parsed: for tests.
std::size_t statements_parsed();

}  // namespace misrule::codecs::postgres
