#include "controller/observe/wal_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/events/event_log.h"
#include "controller/observe/wal_values.h"
#include "tests/controller/observe/pgoutput_bytes.h"

namespace misrule::controller {
namespace {

using namespace pgoutput;
using testing::ElementsAre;

class Wal : public testing::Test {
 protected:
  Status send(const std::string& message) {
    return wal_.take({.start = at_ += 8, .message = message});
  }
  void transaction(std::uint64_t end, const std::vector<std::string>& messages) {
    ASSERT_TRUE(send(begin_bytes(end - 1, 5, 42)));
    for (const auto& message : messages) ASSERT_TRUE(send(message));
    ASSERT_TRUE(send(commit_bytes(end - 1, end, 5)));
  }
  static std::string table() {
    return relation_bytes(9, "orders", {{"id", 23}, {"status", 25}, {"doc", 3802}});
  }
  static std::string insert(const std::string& id) {
    return "I" + u32(9) + "N" + row_bytes({text_cell(id), text_cell("new"), "n"});
  }

  std::vector<std::string> told_;
  model::WalStream wanted_ = {};
  WalTransactions::OnCommit on_commit_ = [this](const WalTransaction& done) {
    for (const model::Event& event : done.events) {
      std::string text;
      for (const auto& [name, field] : event.fields) {
        text += (text.empty() ? "" : " ") + name + "=" + model::field_text(field);
      }
      told_.push_back(text);
    }
    told_.emplace_back("commit");
  };
  std::uint64_t at_ = 0;
  WalTransactions wal_{wanted_, on_commit_, {.rows = 3, .bytes = 1000, .relations = 2}};
};

TEST_F(Wal, S0_20_S2_5_S2_17_ARowIsToldWithEverythingWhenItsTransactionCommits) {
  ASSERT_TRUE(send(begin_bytes(99, 5, 42)));
  ASSERT_TRUE(send(table()));
  ASSERT_TRUE(send(insert("1")));
  EXPECT_TRUE(told_.empty());
  ASSERT_TRUE(send(commit_bytes(99, 100, 5)));
  EXPECT_THAT(told_, ElementsAre("action=INSERT op=INSERT schema=public table=orders xid=42 "
                                 "lsn=0/18 commit_time=2000-01-01 00:00:00.000005+00 "
                                 "data={\"id\":1,\"status\":\"new\",\"doc\":null}",
                                 "commit"));
  EXPECT_EQ(wal_.told(), 100U);
}

TEST_F(Wal, WhatIsSentAgainIsNotToldAgain) {
  transaction(100, {table(), insert("1")});
  told_.clear();
  ASSERT_TRUE(send(begin_bytes(199, 5, 43)));
  ASSERT_TRUE(send(insert("2")));
  wal_.connection_lost();
  transaction(100, {table(), insert("1")});
  EXPECT_TRUE(told_.empty());
  transaction(200, {insert("2")});
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(Wal, TablesAreForgottenWithTheirConnection) {
  transaction(100, {table()});
  wal_.connection_lost();
  ASSERT_TRUE(send(begin_bytes(199, 5, 43)));
  EXPECT_FALSE(send(insert("1")));
}

TEST_F(Wal, S1_8_OnlyWhatIsListedIsTold) {
  const auto rows_told = [&](std::vector<std::string> tables, std::vector<std::string> columns) {
    told_.clear();
    WalTransactions some({.tables = std::move(tables), .columns = std::move(columns)}, on_commit_);
    for (const auto& message :
         {begin_bytes(9, 5, 1), table(), insert("1"), commit_bytes(9, 10, 5)}) {
      EXPECT_TRUE(some.take({.message = message}));
    }
    return told_.empty() ? std::string() : told_.front().substr(told_.front().find("data="));
  };
  EXPECT_EQ(rows_told({"orders"}, {"id"}), "data={\"id\":1}");
  EXPECT_EQ(rows_told({"ord*"}, {"status"}), "data={\"status\":\"new\"}");
  EXPECT_EQ(rows_told({"public.orders"}, {"nothing"}), "data={}");
  EXPECT_EQ(rows_told({"other", "other.*"}, {}), "");
}

// A hostile server: whatever it makes of a conversation is refused, or an event that can be kept.
TEST_F(Wal, AChangedByteGivesAnErrorOrAnEvent) {
  const std::vector<std::string> whole = {
      begin_bytes(99, 5, 42),
      table(),
      insert("1"),
      "U" + u32(9) + "O" + row_bytes({text_cell("1"), "n", text_cell("{}")}) + "N" +
          row_bytes({text_cell("1"), "u", "u"}),
      "D" + u32(9) + "K" + row_bytes({text_cell("1"), "n", "n"}),
      "T" + u32(1) + std::string(1, '\0') + u32(9),
      commit_bytes(99, 100, 5)};
  std::size_t told = 0;
  const auto check = [&told](const WalTransaction& done) {
    for (const model::Event& event : done.events) {
      EXPECT_TRUE(event_from_json(event_to_json(event)).has_value());
      ++told;
    }
  };
  const auto play = [&](std::size_t message, std::size_t at, char byte) {
    WalTransactions some({}, check, {.rows = 100, .bytes = 100'000, .relations = 10});
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string bytes = whole[i];
      if (i == message) bytes[at] = byte;
      if (!some.take({.start = i, .message = bytes})) return;
    }
  };
  play(whole.size(), 0, 0);
  ASSERT_EQ(told, 4U) << "the control";
  for (std::size_t message = 0; message < whole.size(); ++message) {
    for (std::size_t at = 0; at < whole[message].size(); ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) play(message, at, static_cast<char>(byte));
    }
  }
}

TEST_F(Wal, WhatWasKnownOfTheOldRow) {
  const std::string keyed = "U" + u32(9) + "K" + row_bytes({text_cell("1"), "n", "n"}) + "N" +
                            row_bytes({text_cell("2"), "u", "n"});
  const std::string full = "U" + u32(9) + "O" + row_bytes({text_cell("2"), text_cell("old"), "n"}) +
                           "N" + row_bytes({text_cell("2"), "u", text_cell("[1]")});
  transaction(100,
              {table(), keyed, full, "D" + u32(9) + "K" + row_bytes({text_cell("2"), "n", "n"})});
  ASSERT_EQ(told_.size(), 4U);
  const auto tail = [&](std::size_t i) { return told_[i].substr(told_[i].find("old=")); };
  EXPECT_EQ(tail(0), "old={\"id\":1} unchanged=[\"status\"] data={\"id\":2,\"doc\":null}");
  EXPECT_EQ(tail(1),
            "old={\"id\":2,\"status\":\"old\",\"doc\":null} "
            "data={\"id\":2,\"status\":\"old\",\"doc\":[1]}");
  EXPECT_EQ(tail(2), "old={\"id\":2} data={\"id\":2}");
}

TEST_F(Wal, AServerThatSpeaksNonsenseIsAnError) {
  EXPECT_FALSE(send(insert("1")));
  EXPECT_FALSE(send(commit_bytes(1, 2, 3)));
  ASSERT_TRUE(send(begin_bytes(1, 2, 3)));
  EXPECT_FALSE(send(begin_bytes(1, 2, 3)));
  EXPECT_FALSE(send(insert("1")));
  ASSERT_TRUE(send(table()));
  EXPECT_FALSE(send("I" + u32(9) + "N" + row_bytes({text_cell("1")})));
}

TEST_F(Wal, BoundsOfATransactionAndOfTables) {
  ASSERT_TRUE(send(begin_bytes(1, 2, 3)));
  ASSERT_TRUE(send(table()));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send(insert("1")));
  EXPECT_EQ(send(insert("1")).error().code, Code::kLimit);
  ASSERT_TRUE(send(relation_bytes(10, "b", {})));
  ASSERT_TRUE(send(table()));
  EXPECT_EQ(send(relation_bytes(11, "c", {})).error().code, Code::kLimit);
}

std::string value(std::uint32_t type, std::string_view text, bool decode = false) {
  std::string out;
  return append_wal_value(out, type, text, decode) ? out : "cut " + out.substr(0, 4);
}

TEST(WalValues, StandByTheirType) {
  EXPECT_EQ(value(23, "-7"), "-7");
  EXPECT_EQ(value(16, "t"), "true");
  EXPECT_EQ(value(1700, "12.50"), "12.50");
  EXPECT_EQ(value(1700, "NaN"), "\"NaN\"");
  EXPECT_EQ(value(1700, "1-2"), "\"1-2\"");
  EXPECT_EQ(value(3802, "{\"a\": [1]}"), "{\"a\": [1]}");
  EXPECT_EQ(value(114, "{"), "\"{\"");
  EXPECT_EQ(value(114, std::string(40, '[') + std::string(40, ']')).front(), '"');
  EXPECT_EQ(value(25, "[1]"), "\"[1]\"");
  EXPECT_EQ(value(25, "[1]", true), "[1]");
  EXPECT_EQ(value(25, "[1", true), "\"[1\"");
  EXPECT_EQ(value(1114, "2026-01-02 03:04:05"), "\"2026-01-02 03:04:05\"");
}

TEST(WalValues, ArraysAreLists) {
  EXPECT_EQ(value(1007, "{1,NULL,3}"), "[1,null,3]");
  EXPECT_EQ(value(1007, "{{1},{2}}"), "[[1],[2]]");
  EXPECT_EQ(value(1009, "{}"), "[]");
  EXPECT_EQ(value(1009, R"({a,"b \"c\"","NULL",NULL})"), R"(["a","b \"c\"","NULL",null])");
  EXPECT_EQ(value(3807, R"({"{\"a\": 1}"})"), "[{\"a\": 1}]");
  EXPECT_EQ(value(1007, "[0:1]={1,2}"), "\"[0:1]={1,2}\"");
  for (const char* broken :
       {"{", "{1", "{1,", "{,}", "{\"a", "{\"a\\", "{1}x", "{{{{{{{1}}}}}}}"}) {
    EXPECT_EQ(value(1009, broken).front(), '"') << broken;
  }
}

TEST(WalValues, LongOnesAreCutBetweenCharacters) {
  EXPECT_EQ(value(25, std::string(kWalValueBytesMax + 1, 'x')), "cut \"xxx");
  std::string out;
  const std::string wide = std::string(kWalValueBytesMax - 1, 'x') + "é";
  EXPECT_FALSE(append_wal_value(out, 25, wide, false));
  EXPECT_EQ(out.size(), kWalValueBytesMax - 1 + 2);
}

}  // namespace
}  // namespace misrule::controller
