#include "codecs/redis/told_command.h"

#include <gmock/gmock.h>

#include "tests/codecs/redis/told.h"

namespace misrule::codecs::redis {
namespace {

using namespace told;  // NOLINT(google-build-using-namespace): the words of this test.
using testing::ElementsAre;

std::optional<ToldCommand> read(const std::string& wire) {
  ToldValues values(wire);
  auto command = read_told_command(values);
  EXPECT_TRUE(values.at_end());
  EXPECT_FALSE(values.failed());
  return command;
}

TEST(ToldCommand, AsServersBefore7SayIt) {
  const auto command = read(old_command({.name = "json.set",
                                         .first = 1,
                                         .last = 1,
                                         .step = 1,
                                         .flags = list({status("write"), status("denyoom")})}));
  ASSERT_TRUE(command);
  EXPECT_EQ(command->name, "JSON.SET");
  EXPECT_TRUE(command->writes && command->grows);
  EXPECT_EQ(command->first, 1);
  EXPECT_FALSE(command->has_specs || command->keys_beyond_specs);
}

TEST(ToldCommand, WithSpecsOfItsKeys) {
  const auto command = read(
      old_command({.name = "x"}).replace(0, 4, "*10\r\n") + list({status("@read")}) + list({}) +
      list({spec(by_index(1), range(0, 1, 0)), spec(by_keyword("streams", 1), range(-1, 1, 2)),
            spec(by_index(2), counted(0, 1, 1))}) +
      list({}));
  ASSERT_TRUE(command);
  EXPECT_TRUE(command->has_specs);
  EXPECT_THAT(command->specs,
              ElementsAre(KeySpec{.from = 1},
                          KeySpec{.keyword = "STREAMS", .from = 1, .last = -1, .limit = 2},
                          KeySpec{.from = 2, .counted = true, .number_at = 0, .first_at = 1}));
}

TEST(ToldCommand, ChannelsAreNoKeysAndWhatIsUnknownIsSaidToBe) {
  const std::string no_key = list({status("not_key")});
  const auto publish = read(command({.name = "spublish", .first = 1, .last = 1, .step = 1},
                                    list({spec(by_index(1), range(0, 1, 0), no_key)})));
  EXPECT_TRUE(publish->has_specs && publish->specs.empty());
  EXPECT_FALSE(publish->keys_beyond_specs);
  const auto sort = read(command(
      {.name = "sort"}, list({spec(by_index(1), range(0, 1, 0)), spec(unknown(), unknown())})));
  EXPECT_EQ(sort->specs.size(), 1U);
  EXPECT_TRUE(sort->keys_beyond_specs);
}

TEST(ToldCommand, WithItsParts) {
  const auto config =
      read(command({.name = "config"}, list({}),
                   list({command({.name = "config|get"}, list({})),
                         command({.name = "config|set", .flags = list({status("write")})}, list({}),
                                 list({command({.name = "config|set|x"}, list({}))}))})));
  ASSERT_EQ(config->parts.size(), 2U);
  EXPECT_EQ(config->parts[1].name, "CONFIG SET");
  EXPECT_TRUE(config->parts[1].writes);
  EXPECT_TRUE(config->parts[1].parts.empty());
}

TEST(ToldCommand, WhatIsNoneIsNothing) {
  EXPECT_FALSE(read(kNil));
  EXPECT_FALSE(read(list({text("get"), number(2)})));
  EXPECT_FALSE(read(":1\r\n"));
  const auto long_name = read(old_command({.name = std::string(65, 'x')}));
  EXPECT_EQ(long_name->name, "");
  const auto far = read(old_command({.name = "x", .first = 1 << 20, .last = -(1 << 20)}));
  EXPECT_EQ(far->first, INT16_MAX);
  EXPECT_EQ(far->last, -INT16_MAX);
}

}  // namespace
}  // namespace misrule::codecs::redis
