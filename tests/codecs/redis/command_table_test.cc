#include "codecs/redis/command_table.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

TEST(CommandTable, KnowsCommandsByTheirWholeName) {
  const CommandTraits* const set = find_command("SET");
  ASSERT_NE(set, nullptr);
  EXPECT_TRUE(set->writes());
  EXPECT_TRUE(set->grows());
  EXPECT_FALSE(find_command("GET")->writes());
  EXPECT_FALSE(find_command("DEL")->grows());
  EXPECT_TRUE(find_command("CLIENT")->is_container());
  EXPECT_EQ(find_command("CLIENT REPLY")->kind, CommandKind::kClientReply);
  EXPECT_EQ(find_command("set"), nullptr);
  EXPECT_EQ(find_command("NOSUCH"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
}

TEST(CommandTable, KnowsWhatChangesTheConversation) {
  EXPECT_EQ(find_command("MULTI")->kind, CommandKind::kMulti);
  EXPECT_EQ(find_command("PSUBSCRIBE")->kind, CommandKind::kSubscribe);
  EXPECT_EQ(find_command("SUNSUBSCRIBE")->kind, CommandKind::kUnsubscribe);
  EXPECT_EQ(find_command("PSYNC")->kind, CommandKind::kReplicate);
  EXPECT_EQ(find_command("MONITOR")->kind, CommandKind::kMonitor);
  EXPECT_EQ(find_command("QUIT")->kind, CommandKind::kQuit);
}

}  // namespace
}  // namespace misrule::codecs::redis
