#include "codecs/redis/command_meaning.h"

#include <vector>

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

struct Said {
  explicit Said(std::vector<ByteView> said) : words(std::move(said)), name(words) {
    command.words = words;
    command.count = words.size();
  }
  std::vector<ByteView> words;
  Command command = {};
  CommandName name;
};

std::string argument(const Said& said, std::string_view key) {
  std::string found = "none";
  CommandDetails(said.command, said.name.words(), 3)
      .any(Detail::kArgument, key, [&](std::string_view text) {
        found = text;
        return true;
      });
  return found;
}

TEST(RedisMeaning, OfSelectIsTheDatabase) {
  const Said one({"select", "5"});
  EXPECT_EQ(kind_of(one.command, one.name), CommandKind::kSelect);
  EXPECT_EQ(answers_of(one.command, one.name, CommandKind::kSelect), 5U);
  for (const Said& other : {Said({"select", "five"}), Said({"select"}), Said({"select", "-1"})}) {
    EXPECT_EQ(kind_of(other.command, other.name), CommandKind::kPlain);
  }
}

TEST(RedisMeaning, ArgumentsAreCountedBehindTheName) {
  const Said set({"SET", "k", "v"});
  EXPECT_EQ(argument(set, "1"), "k");
  EXPECT_EQ(argument(set, "2"), "v");
  EXPECT_EQ(argument(set, "3"), "none");
  EXPECT_EQ(argument(set, "0"), "none");
  EXPECT_EQ(argument(set, "18446744073709551615"), "none");
  EXPECT_EQ(argument(Said({"CONFIG", "SET", "maxmemory", "1"}), "1"), "maxmemory");
}

TEST(RedisMeaning, TheDatabaseIsToldByItsNumber) {
  const Said get({"GET", "k"});
  const CommandDetails details(get.command, 1, 3);
  EXPECT_TRUE(details.any(Detail::kSelectedDb, "", [](auto db) { return db == "3"; }));
  EXPECT_FALSE(details.any(Detail::kHeader, "", [](auto) { return true; }));
}

}  // namespace
}  // namespace misrule::codecs::redis
