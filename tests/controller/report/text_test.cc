#include "controller/report/text.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

TEST(Text, ColumnsAreCodePoints) {
  EXPECT_EQ(text_columns("→ ✓ é"), 5U);
  EXPECT_EQ(padded("→", 3), "→  ");
  EXPECT_EQ(padded("long", 2), "long");
}

TEST(Text, CuttingKeepsWholeCodePoints) {
  EXPECT_EQ(cut_to("→→→", 3), "→→→");
  EXPECT_EQ(cut_to("→→→→", 3), "→→…");
  EXPECT_EQ(cut_to("abc", 0), "");
  EXPECT_EQ(cut_to("abc", 1), "…");
}

TEST(Text, ForeignTextCannotMoveTheCursor) {
  EXPECT_EQ(printable("SELECT\n\t 1 \x1b[2Jx\r\n"), "SELECT 1 ·[2Jx");
}

TEST(Text, ForeignTextOfSeveralLinesKeepsThem) {
  EXPECT_EQ(harmless("a\n  b\tc\r\n\x1b]0;pwn\x07"), "a\n  b\tc\n·]0;pwn·");
}

TEST(Text, BytesThatAreNoTextAndHighControlsAreShownAsSuch) {
  for (const auto show : {harmless, printable}) {
    EXPECT_EQ(show("caf\xe9 \xc3\xa9"), "caf\xEF\xBF\xBD \xc3\xa9");
    EXPECT_EQ(show("\xc2\x9b"
                   "2Jx \x9b"
                   "2J"),
              "·2Jx \xEF\xBF\xBD"
              "2J");
    EXPECT_EQ(show("\xc2\xa0\xc2"), "\xc2\xa0\xEF\xBF\xBD");
  }
}

TEST(Text, DurationsAreReadable) {
  using std::chrono::microseconds;
  EXPECT_EQ(seconds_text(microseconds(3210)), "3.2 ms");
  EXPECT_EQ(seconds_text(microseconds(412345)), "0.41 s");
  EXPECT_EQ(seconds_text(std::chrono::seconds(30)), "30.00 s");
}

TEST(Text, PaintOnlyWhenAsked) {
  EXPECT_EQ(Paint(false).red("x"), "x");
  EXPECT_EQ(Paint(true).red("x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Paint(true).red(""), "");
}

}  // namespace
}  // namespace misrule::controller
