#pragma once

// Rows as they are on the wire: their columns, their formats, made up and changed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codecs/facts.h"
#include "codecs/postgres/values.h"

namespace misrule::codecs::postgres {

struct Column {
  std::string name = {};
  std::uint32_t type = kText;
  Format format = Format::kText;
};
using Columns = std::vector<Column>;

/// The body of a RowDescription; nothing if it is cut off or not one.
std::optional<Columns> read_columns(ByteView body);

/// The body of a Bind behind its two names.
struct BoundValues {
  std::vector<Format> formats = {};  ///< Of parameters: none, one for all, or one each.
  std::vector<std::optional<ByteView>> values = {};
  std::vector<Format> result_formats = {};

  Format format_of(std::size_t parameter) const;
};
std::optional<BoundValues> read_bound(ByteView rest);
/// Puts the formats that were bound into columns that were described before.
void use_formats(Columns& columns, const std::vector<Format>& formats);

/// What a rule makes up, as the client waits for it. The error says what does not fit.
Result<std::string> made_up_rows(const ReplyPlan& plan, const Columns& columns);
/// The columns of a plan, where no server says what they are.
Columns natural_columns(const ReplyPlan& plan);
std::string row_description(const Columns& columns);

/// By place: what a column is to hold; null inside stands for NULL.
using RowEdits = std::vector<std::pair<std::size_t, std::optional<std::string>>>;
Result<RowEdits> row_edits(const ValueMap& edits, const Columns& columns);
/// A whole DataRow, changed; nothing if it is malformed.
std::optional<std::string> edited_row(ByteView message, const RowEdits& edits);

/// How a message is to be damaged.
struct Damage {
  std::uint64_t bytes = 1;
  std::uint64_t seed = 0;
};
/// A whole message with bytes of its values (DataRow) or of its body changed, its lengths kept.
/// Nothing if there is nothing to change.
std::optional<std::string> corrupted(ByteView message, const Damage& damage);

}  // namespace misrule::codecs::postgres
