#include "controller/observe/pgoutput.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/controller/observe/pgoutput_bytes.h"

namespace misrule::controller::pgoutput {
namespace {

TEST(Pgoutput, BeginAndCommit) {
  const auto begin = decode(begin_bytes(0x10, 7, 42));
  ASSERT_TRUE(begin);
  EXPECT_EQ(std::get<Begin>(*begin).commit_lsn, 0x10U);
  EXPECT_EQ(std::get<Begin>(*begin).commit_time_us, 7);
  EXPECT_EQ(std::get<Begin>(*begin).xid, 42U);
  const auto commit = decode(commit_bytes(0x10, 0x20, 7));
  ASSERT_TRUE(commit);
  EXPECT_EQ(std::get<Commit>(*commit).end_lsn, 0x20U);
}

TEST(Pgoutput, RowsSayWhatIsNullAndWhatIsUnchanged) {
  const std::string bytes = "U" + u32(9) + "K" + row_bytes({text_cell("1"), "n"}) + "N" +
                            row_bytes({text_cell("1"), "u"});
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded) << decoded.error().what;
  const auto& change = std::get<Change>(*decoded);
  EXPECT_EQ(change.kind, 'U');
  EXPECT_EQ(change.relation, 9U);
  EXPECT_TRUE(change.old_is_key);
  EXPECT_EQ((*change.old_row)[0].text, "1");
  EXPECT_EQ((*change.old_row)[1].kind, Cell::Kind::kNull);
  EXPECT_EQ((*change.new_row)[1].kind, Cell::Kind::kUnchanged);
}

TEST(Pgoutput, RelationsAndTruncates) {
  const auto relation = decode(relation_bytes(9, "orders", {{"id", 23}, {"status", 25}}));
  ASSERT_TRUE(relation) << relation.error().what;
  const auto& table = std::get<Relation>(*relation);
  EXPECT_EQ(table.schema + "." + table.table, "public.orders");
  EXPECT_TRUE(table.columns[0].is_key);
  EXPECT_FALSE(table.columns[1].is_key);
  EXPECT_EQ(table.columns[1].type_oid, 25U);
  const auto truncate = decode("T" + u32(2) + '\3' + u32(9) + u32(10));
  ASSERT_TRUE(truncate);
  EXPECT_EQ(std::get<Truncate>(*truncate).relations, (std::vector<std::uint32_t>{9, 10}));
  EXPECT_TRUE(std::get<Truncate>(*truncate).restart_identity);
}

/// Every message, cut anywhere and with something behind it, is an error; nothing is read beyond.
TEST(Pgoutput, CutAndLengthenedMessagesAreErrors) {
  const std::vector<std::string> messages = {
      begin_bytes(1, 2, 3),
      commit_bytes(1, 2, 3),
      relation_bytes(9, "t", {{"id", 23}}),
      "I" + u32(9) + "N" + row_bytes({text_cell("abc"), "n"}),
      "U" + u32(9) + "O" + row_bytes({"n"}) + "N" + row_bytes({text_cell("x")}),
      "D" + u32(9) + "K" + row_bytes({text_cell("1")}),
      "T" + u32(1) + std::string(1, '\0') + u32(9)};
  for (const std::string& message : messages) {
    ASSERT_TRUE(decode(message)) << message;
    EXPECT_FALSE(decode(message + "x"));
    for (std::size_t size = 0; size < message.size(); ++size) {
      const std::string cut = message.substr(0, size);
      EXPECT_FALSE(decode(cut)) << message[0] << size;
    }
  }
}

TEST(Pgoutput, HostileLengthsAreRefusedBeforeAnythingIsReserved) {
  EXPECT_FALSE(decode("I" + u32(9) + "N" + "\xff\xff"));
  EXPECT_FALSE(decode("T" + u32(0xffffffff) + std::string(1, '\0') + u32(9)));
  EXPECT_FALSE(decode("I" + u32(9) + "N" + u16(1) + "t" + u32(0xffffffff) + "x"));
  EXPECT_FALSE(decode("I" + u32(9) + "K" + row_bytes({"n"})));
  EXPECT_FALSE(decode("D" + u32(9) + "N" + row_bytes({"n"})));
  EXPECT_FALSE(decode("X"));
}

TEST(Pgoutput, RandomBytesNeverDoHarm) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::string bytes(1, "BCRIUDTYOMwk"[seed % 12]);
    const std::size_t size = stable_hash("size", seed) % 60;
    for (std::size_t i = 0; i < size; ++i) {
      // Small numbers are what counts and kinds are made of.
      const std::uint64_t drawn = stable_hash(fmt::format("{}", i), seed);
      bytes.push_back(static_cast<char>(drawn % 3 == 0 ? drawn >> 8U : drawn % 3));
    }
    static_cast<void>(decode(bytes).has_value());
    static_cast<void>(decode_frame(bytes).has_value());
  }
}

TEST(Pgoutput, FramesAndAnswers) {
  const auto data = decode_frame("w" + u64(5) + u64(6) + u64(0) + "rest");
  ASSERT_TRUE(data);
  EXPECT_EQ(std::get<WalPiece>(*data).start, 5U);
  EXPECT_EQ(std::get<WalPiece>(*data).message, "rest");
  const auto alive = decode_frame("k" + u64(7) + u64(0) + '\1');
  ASSERT_TRUE(alive);
  EXPECT_EQ(std::get<Keepalive>(*alive).end, 7U);
  EXPECT_TRUE(std::get<Keepalive>(*alive).wants_reply);
  EXPECT_FALSE(decode_frame("k" + u64(7)));
  EXPECT_FALSE(decode_frame(""));
  EXPECT_EQ(standby_status(7, 0, true), "r" + u64(7) + u64(0) + u64(0) + u64(0) + '\1');
}

TEST(Pgoutput, PositionsAsText) {
  EXPECT_EQ(lsn_text(0x16B374D848ULL), "16/B374D848");
  EXPECT_EQ(lsn_from_text("16/B374D848"), 0x16B374D848ULL);
  for (const char* wrong : {"", "16", "/", "16/", "g/1", "1/1/1", "123456789/0"}) {
    EXPECT_EQ(lsn_from_text(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace misrule::controller::pgoutput
