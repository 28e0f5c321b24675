#include "codecs/postgres/rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::size_t kHeaderBytes = 5;
constexpr std::uint32_t kNull = 0xffffffff;

std::optional<std::vector<Format>> read_formats(ByteReader& reader) {
  std::vector<Format> formats;
  const std::size_t count = reader.read_u16();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    formats.push_back(reader.read_u16() == 1 ? Format::kBinary : Format::kText);
  }
  return reader.ok() ? std::optional(std::move(formats)) : std::nullopt;
}

Format format_at(const std::vector<Format>& formats, std::size_t at) {
  if (formats.empty()) return Format::kText;
  return formats.size() == 1 ? formats.front() : formats[std::min(at, formats.size() - 1)];
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : +c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

template <class Range, class Name>
std::size_t place_of(const Range& range, std::string_view wanted, const Name& name) {
  const auto found = std::ranges::find_if(
      range, [&](const auto& item) { return equal_without_case(name(item), wanted); });
  return static_cast<std::size_t>(found - range.begin());
}

Result<std::optional<std::string>> encode_cell(const Column& column, const Value& value) {
  if (value.is_null()) return std::optional<std::string>();
  auto cell = encode_value(column.type, column.format, value);
  if (cell) return cell;
  return fail(Code::kInvalid,
              fmt::format("column '{}' of type {} cannot hold the value{}", column.name,
                          column.type, column.format == Format::kBinary ? " in binary" : ""));
}

void append_cell(std::string& row, const std::optional<std::string>& cell) {
  append_u32(row, cell ? static_cast<std::uint32_t>(cell->size()) : kNull);
  if (cell) row.append(*cell);
}

/// For each column, where its value stands in the plan's rows; nothing: it is NULL.
Result<std::vector<std::optional<std::size_t>>> places_in(const ReplyPlan& plan,
                                                          const Columns& columns) {
  const auto itself = [](const std::string& name) -> std::string_view { return name; };
  const auto name_of = [](const Column& column) -> std::string_view { return column.name; };
  for (const std::string& name : plan.columns) {
    if (place_of(columns, name, name_of) < columns.size()) continue;
    return fail(Code::kInvalid, fmt::format("the statement has no column '{}'", name));
  }
  std::vector<std::optional<std::size_t>> places(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t place = place_of(plan.columns, columns[i].name, itself);
    if (place < plan.columns.size()) places[i] = place;
  }
  return places;
}

/// Where the values of a DataRow's columns begin and end in the message.
using Extents = std::vector<std::optional<std::pair<std::size_t, std::size_t>>>;
std::optional<Extents> cells_of(ByteView message) {
  if (message.size() < kHeaderBytes + 2) return std::nullopt;
  ByteReader reader(message.substr(kHeaderBytes));
  const std::size_t count = reader.read_u16();
  Extents cells;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t length = reader.read_u32();
    if (!reader.ok()) return std::nullopt;
    if (length == kNull) {
      cells.emplace_back();
      continue;
    }
    const std::size_t begin = message.size() - reader.rest().size();
    reader.read_bytes(length);
    if (!reader.ok()) return std::nullopt;
    cells.emplace_back(std::pair(begin, begin + length));
  }
  return reader.at_end() ? std::optional(std::move(cells)) : std::nullopt;
}

/// Another byte, in its place: what is text stays printable.
char other_byte(char byte, std::uint64_t chance) {
  const auto value = static_cast<unsigned char>(byte);
  if (value < 0x21 || value > 0x7e) return static_cast<char>(value ^ (1 + chance % 0xff));
  constexpr unsigned kPrintable = 0x7e - 0x21 + 1;
  const auto step = static_cast<unsigned>(1 + chance % (kPrintable - 1));
  return static_cast<char>(0x21 + (value - 0x21 + step) % kPrintable);
}

std::vector<std::size_t> payload_of(ByteView message) {
  std::vector<std::size_t> places;
  if (message.front() != 'D') {
    // A text ends with a NUL, which frames it.
    for (std::size_t i = kHeaderBytes; i < message.size() && message[i] != '\0'; ++i) {
      places.push_back(i);
    }
    return places;
  }
  const auto cells = cells_of(message);
  if (!cells) return places;
  for (const auto& cell : *cells) {
    for (std::size_t i = cell ? cell->first : 0; cell && i < cell->second; ++i) places.push_back(i);
  }
  return places;
}

}  // namespace

std::optional<Columns> read_columns(ByteView body) {
  ByteReader reader(body);
  const std::size_t count = reader.read_u16();
  Columns columns;
  for (std::size_t i = 0; i < count; ++i) {
    Column column{.name = std::string(reader.read_cstring())};
    reader.read_bytes(6);  // Its table, and its place in there.
    column.type = reader.read_u32();
    reader.read_bytes(6);  // Its length and its modifier.
    column.format = reader.read_u16() == 1 ? Format::kBinary : Format::kText;
    if (!reader.ok()) return std::nullopt;
    columns.push_back(std::move(column));
  }
  return reader.ok() && reader.at_end() ? std::optional(std::move(columns)) : std::nullopt;
}

Format BoundValues::format_of(std::size_t parameter) const { return format_at(formats, parameter); }

std::optional<BoundValues> read_bound(ByteView rest) {
  ByteReader reader(rest);
  BoundValues bound;
  auto formats = read_formats(reader);
  if (!formats) return std::nullopt;
  bound.formats = *std::move(formats);
  const std::size_t count = reader.read_u16();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t length = reader.read_u32();
    if (!reader.ok()) return std::nullopt;
    bound.values.push_back(length == kNull ? std::nullopt
                                           : std::optional(reader.read_bytes(length)));
  }
  auto result_formats = read_formats(reader);
  if (!result_formats || !reader.at_end()) return std::nullopt;
  bound.result_formats = *std::move(result_formats);
  return bound;
}

void use_formats(Columns& columns, const std::vector<Format>& formats) {
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].format = format_at(formats, i);
}

Result<std::string> made_up_rows(const ReplyPlan& plan, const Columns& columns) {
  MISRULE_TRY(const auto places, places_in(plan, columns));
  std::string rows;
  for (const ValueList& values : plan.rows) {
    std::string row;
    append_u16(row, static_cast<std::uint16_t>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool is_said = places[i] && *places[i] < values.size();
      MISRULE_TRY(const auto cell, encode_cell(columns[i], is_said ? values[*places[i]] : Value{}));
      append_cell(row, cell);
    }
    append_message(rows, 'D', row);
  }
  return rows;
}

Columns natural_columns(const ReplyPlan& plan) {
  Columns columns;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    Column column{.name = plan.columns[i]};
    for (const ValueList& row : plan.rows) {
      if (i >= row.size() || row[i].is_null()) continue;
      column.type = natural_type(row[i]);
      break;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

std::string row_description(const Columns& columns) {
  std::string body;
  append_u16(body, static_cast<std::uint16_t>(columns.size()));
  for (const Column& column : columns) {
    append_cstring(body, column.name);
    append_u32(body, 0);
    append_u16(body, 0);
    append_u32(body, column.type);
    append_u16(body, 0xffff);
    append_u32(body, 0xffffffff);
    append_u16(body, column.format == Format::kBinary ? 1 : 0);
  }
  std::string out;
  append_message(out, 'T', body);
  return out;
}

Result<RowEdits> row_edits(const ValueMap& edits, const Columns& columns) {
  RowEdits places;
  for (const auto& [name, value] : edits) {
    const std::size_t place = place_of(
        columns, name, [](const Column& column) -> std::string_view { return column.name; });
    if (place == columns.size()) {
      return fail(Code::kInvalid, fmt::format("the reply has no column '{}'", name));
    }
    MISRULE_TRY(auto cell, encode_cell(columns[place], value));
    places.emplace_back(place, std::move(cell));
  }
  return places;
}

std::optional<std::string> edited_row(ByteView message, const RowEdits& edits) {
  const auto cells = cells_of(message);
  if (!cells) return std::nullopt;
  std::string row;
  append_u16(row, static_cast<std::uint16_t>(cells->size()));
  for (std::size_t i = 0; i < cells->size(); ++i) {
    const auto edit = std::ranges::find(edits, i, &RowEdits::value_type::first);
    if (edit != edits.end()) {
      append_cell(row, edit->second);
      continue;
    }
    const auto& cell = (*cells)[i];
    append_cell(
        row,
        cell ? std::optional(std::string(message.substr(cell->first, cell->second - cell->first)))
             : std::nullopt);
  }
  std::string out;
  append_message(out, 'D', row);
  return out;
}

std::optional<std::string> corrupted(ByteView message, const Damage& damage) {
  std::vector<std::size_t> places = payload_of(message);
  if (places.empty()) return std::nullopt;
  std::string out(message);
  for (std::uint64_t i = 0; i < damage.bytes && !places.empty(); ++i) {
    const std::uint64_t chance =
        decision_hash({.seed = damage.seed, .rule = "corrupt", .ordinal = i});
    const auto at = places.begin() + static_cast<std::ptrdiff_t>(chance % places.size());
    out[*at] = other_byte(out[*at], chance >> 32U);
    *at = places.back();
    places.pop_back();
  }
  return out;
}

}  // namespace misrule::codecs::postgres
