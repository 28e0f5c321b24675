#include "codecs/redis/server_commands.h"

#include <algorithm>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "codecs/redis/command_name.h"
#include "tests/codecs/redis/told.h"

namespace misrule::codecs::redis {
namespace {

using namespace told;  // NOLINT(google-build-using-namespace): the words of this test.

std::string keys_of(const ServerCommands& server, const std::vector<ByteView>& words) {
  const CommandName name(words, &server);
  std::vector<ByteView> keys;
  if (name.traits() != nullptr) append_keys(*name.traits(), words, words.size(), keys);
  return fmt::format("{}: {}", name.text(), fmt::join(keys, " "));
}

const std::string kOneKey = list({spec(by_index(1), range(0, 1, 0))});
const Old kGet{.name = "get", .first = 1, .last = 1, .step = 1};

TEST(ServerCommands, WhatTheBuiltInTableKnowsIsNotKept) {
  const auto server = ServerCommands::read(
      list({command(kGet, kOneKey), old_command(kGet),
            command({.name = "sort_ro", .first = 1, .last = 1, .step = 1},
                    list({spec(by_index(1), range(0, 1, 0)), spec(unknown(), unknown())})),
            command({.name = "bitop", .flags = list({status("write"), status("denyoom")})},
                    list({spec(by_index(2), range(0, 1, 0)), spec(by_index(3), range(-1, 1, 0))})),
            old_command({.name = "object", .first = 2, .last = 2, .step = 1}),
            old_command({.name = "xread", .first = 1, .last = 1, .step = 1})}));
  ASSERT_TRUE(server);
  EXPECT_EQ(server->size(), 0U);
  EXPECT_EQ(find_command("GET", &*server), find_command("GET"));
}

TEST(ServerCommands, CommandsOfModulesAndOfNewerServersHaveTheirKeys) {
  const auto server = ServerCommands::read(list(
      {command({.name = "json.mset", .flags = list({status("write"), status("denyoom")})},
               list({spec(by_index(1), range(-1, 3, 0))})),
       command({.name = "ts.mread"}, list({spec(by_keyword("STREAMS", 1), range(-1, 1, 2)),
                                           spec(by_index(1), range(0, 1, 0))})),
       command({.name = "hsetex"}, list({spec(by_index(1), range(0, 1, 0))})),
       command(
           {.name = "vec"}, list({}),
           list({command({.name = "vec|add"}, kOneKey), command({.name = "vec|list"}, list({}))})),
       old_command({.name = "bf.add", .first = 1, .last = 1, .step = 1})}));
  ASSERT_TRUE(server);
  EXPECT_EQ(keys_of(*server, {"json.mset", "a", "$", "1", "b", "$", "2"}), "JSON.MSET: a b");
  EXPECT_EQ(keys_of(*server, {"TS.MREAD", "z", "STREAMS", "a", "0"}), "TS.MREAD: a z");
  EXPECT_EQ(keys_of(*server, {"HSETEX", "h", "f", "v"}), "HSETEX: h");
  EXPECT_EQ(keys_of(*server, {"vec", "add", "k"}), "VEC ADD: add");
  EXPECT_EQ(keys_of(*server, {"vec", "list"}), "VEC LIST: ");
  EXPECT_EQ(keys_of(*server, {"bf.add", "k", "v"}), "BF.ADD: k");
  EXPECT_EQ(keys_of(*server, {"unknown", "k"}), "UNKNOWN: ");
  EXPECT_EQ(keys_of(*server, {"mset", "a", "1", "b", "2"}), "MSET: a b");
  EXPECT_TRUE(server->find("JSON.MSET")->writes());
  EXPECT_TRUE(server->find("JSON.MSET")->grows());
}

TEST(ServerCommands, TheServersWordGoesBeforeOurs) {
  const auto server = ServerCommands::read(
      list({command({.name = "lolwut", .flags = list({status("write")})}, kOneKey)}));
  ASSERT_TRUE(server);
  EXPECT_EQ(keys_of(*server, {"LOLWUT", "k"}), "LOLWUT: k");
  EXPECT_TRUE(find_command("LOLWUT", &*server)->writes());
}

TEST(ServerCommands, ANewNameStandsForTheOldOne) {
  const std::vector<std::string> names = {"FETCH", "BEGIN", "CFG", "NOSUCH"};
  const std::string reply = list(
      {command(kGet, kOneKey), command({.name = "multi"}, list({})),
       command({.name = "config"}, list({}), list({command({.name = "config|get"}, list({}))})),
       kNil});
  const auto server = ServerCommands().with(names, reply);
  ASSERT_TRUE(server);
  EXPECT_EQ(keys_of(*server, {"fetch", "k"}), "FETCH: k");
  EXPECT_EQ(server->find("FETCH")->name, "GET");
  EXPECT_EQ(server->find("BEGIN")->kind, CommandKind::kMulti);
  EXPECT_EQ(keys_of(*server, {"cfg", "get", "x"}), "CFG GET: ");
  const std::vector<ByteView> words = {"cfg", "get"};
  EXPECT_EQ(CommandName(words, &*server).real_text(), "CONFIG GET");
  EXPECT_EQ(server->find("NOSUCH"), nullptr);
  const auto more = server->with(std::vector<std::string>{"X"}, list({command(kGet, kOneKey)}));
  ASSERT_TRUE(more);
  EXPECT_EQ(more->find("X")->name, "GET");
  EXPECT_EQ(more->find("FETCH"), server->find("FETCH"));
}

TEST(ServerCommands, WhatItMeansForTheConversationIsOfTheOldName) {
  const auto server = ServerCommands().with(
      std::vector<std::string>{"READ"},
      list({command({.name = "xread"}, list({spec(by_keyword("STREAMS", 1), range(-1, 1, 2))}))}));
  ASSERT_TRUE(server);
  EXPECT_EQ(keys_of(*server, {"read", "COUNT", "1", "STREAMS", "a", "0"}), "READ: a");
}

TEST(ServerCommands, NonsenseIsRefused) {
  EXPECT_FALSE(ServerCommands::read(":1\r\n"));
  EXPECT_FALSE(ServerCommands::read("*-1\r\n"));
  EXPECT_FALSE(ServerCommands::read("*3\r\n" + old_command({.name = "x"})));
  EXPECT_FALSE(ServerCommands().with(std::vector<std::string>{"A", "B"}, list({kNil})));
  const std::string whole =
      list({command({.name = "x"}, kOneKey, list({command({.name = "x|y"}, kOneKey)}))});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ServerCommands::read(whole.substr(0, size))) << size;
  }
  ASSERT_TRUE(ServerCommands::read(whole));
}

TEST(ServerCommands, ItHoldsSoManyAndNoMore) {
  std::string reply = fmt::format("*{}\r\n", ServerCommands::kCommandsMax + 5);
  for (std::size_t i = 0; i < ServerCommands::kCommandsMax + 5; ++i) {
    reply += old_command({.name = fmt::format("m{}", i), .first = 1, .last = 1, .step = 1});
  }
  const auto server = ServerCommands::read(reply);
  ASSERT_TRUE(server);
  EXPECT_EQ(server->size(), ServerCommands::kCommandsMax);
}

TEST(ServerCommands, WhatIsAsked) {
  EXPECT_EQ(command_request({}), "*1\r\n$7\r\nCOMMAND\r\n");
  EXPECT_EQ(command_request(std::vector<std::string>{"A B"}),
            "*3\r\n$7\r\nCOMMAND\r\n$4\r\nINFO\r\n$3\r\nA B\r\n");
}

}  // namespace
}  // namespace misrule::codecs::redis
