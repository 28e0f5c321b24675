#include "codecs/postgres/rows.h"

#include <gtest/gtest.h>

#include "codecs/postgres/replies.h"

namespace misrule::codecs::postgres {
namespace {

std::string row_of(const std::vector<std::optional<std::string>>& cells) {
  std::string body;
  append_u16(body, static_cast<std::uint16_t>(cells.size()));
  for (const auto& cell : cells) {
    append_u32(body, cell ? static_cast<std::uint32_t>(cell->size()) : 0xffffffff);
    if (cell) body += *cell;
  }
  std::string out;
  append_message(out, 'D', body);
  return out;
}

const Columns kColumns = {{.name = "id", .type = kInt4}, {.name = "note", .type = kText}};

TEST(Rows, ColumnsGoThereAndBack) {
  const std::string message = row_description(kColumns);
  const auto columns = read_columns(ByteView(message).substr(5));
  ASSERT_TRUE(columns.has_value());
  EXPECT_EQ((*columns)[1].name, "note");
  EXPECT_EQ((*columns)[0].type, kInt4);
  for (std::size_t cut = 5; cut < message.size(); ++cut) {
    EXPECT_FALSE(read_columns(ByteView(message).substr(5, cut - 5)).has_value()) << cut;
  }
}

TEST(Rows, MadeUpByName) {
  const ReplyPlan plan{
      .columns = {"NOTE", "id"},
      .rows = {{Value{std::string("x")}, Value{std::int64_t{1}}}, {Value{}, Value{}}}};
  const auto rows = made_up_rows(plan, kColumns);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(*rows, row_of({"1", "x"}) + row_of({std::nullopt, std::nullopt}));
  const auto misnamed = made_up_rows({.columns = {"nosuch"}, .rows = {{Value{}}}}, kColumns);
  ASSERT_FALSE(misnamed.has_value());
  EXPECT_EQ(misnamed.error().what, "the statement has no column 'nosuch'");
}

TEST(Rows, EditedInPlace) {
  const auto edits = row_edits({{"note", Value{std::string("longer")}}}, kColumns);
  ASSERT_TRUE(edits.has_value());
  EXPECT_EQ(edited_row(row_of({"1", "x"}), *edits), row_of({"1", "longer"}));
  EXPECT_EQ(edited_row(row_of({std::nullopt, std::nullopt}), *edits),
            row_of({std::nullopt, "longer"}));
  const std::string row = row_of({"1", "x"});
  EXPECT_FALSE(edited_row(ByteView(row).substr(0, row.size() - 1), *edits).has_value());
}

TEST(Rows, CorruptedBytesKeepTheirNumber) {
  const std::string row = row_of({"abcdef", std::nullopt, "ghi"});
  const auto damaged = corrupted(row, {.bytes = 4, .seed = 7});
  ASSERT_TRUE(damaged.has_value());
  EXPECT_EQ(damaged->size(), row.size());
  std::size_t others = 0;
  for (std::size_t i = 0; i < row.size(); ++i) others += row[i] != (*damaged)[i] ? 1U : 0U;
  EXPECT_EQ(others, 4U);
  EXPECT_EQ(damaged, corrupted(row, {.bytes = 4, .seed = 7})) << "it repeats";
  EXPECT_TRUE(edited_row(*damaged, {}).has_value()) << "its lengths stand";
  EXPECT_FALSE(corrupted(row_of({std::nullopt}), {}).has_value());
}

TEST(Rows, BoundValuesAndFormats) {
  const std::string rest("\0\1\0\1\0\2\0\0\0\1a\xff\xff\xff\xff\0\1\0\1", 19);
  const auto bound = read_bound(rest);
  ASSERT_TRUE(bound.has_value());
  EXPECT_EQ(bound->format_of(1), Format::kBinary);
  EXPECT_EQ(bound->values[0], "a");
  EXPECT_FALSE(bound->values[1].has_value());
  Columns columns = kColumns;
  use_formats(columns, bound->result_formats);
  EXPECT_EQ(columns[1].format, Format::kBinary);
  for (std::size_t cut = 0; cut < rest.size(); ++cut) {
    EXPECT_FALSE(read_bound(ByteView(rest).substr(0, cut)).has_value()) << cut;
  }
}

}  // namespace
}  // namespace misrule::codecs::postgres
