#include "codecs/redis/errors.h"

#include <gtest/gtest.h>

namespace misrule::codecs::redis {
namespace {

ErrorText error(std::string_view code, std::string_view message = {}) {
  ErrorText text;
  text.code = code;
  text.message = message;
  return text;
}

TEST(Errors, HaveTheServersOwnTexts) {
  EXPECT_EQ(error_line(error("OOM"), "SET"),
            "OOM command not allowed when used memory > 'maxmemory'.");
  EXPECT_EQ(error_line(error("NOPERM"), "CONFIG SET"),
            "NOPERM this user has no permissions to run the 'config|set' command");
  EXPECT_EQ(error_line(error("OOM", "full"), "SET"), "OOM full");
  EXPECT_EQ(error_line(error("OOM", "OOM full"), "SET"), "OOM full");
  EXPECT_EQ(error_line(error("", "a\r\nb"), "SET"), "ERR a  b");
  EXPECT_EQ(error_line(error("ERR", "{} stays"), "SET"), "ERR {} stays");
}

TEST(Errors, BeginWithACode) {
  EXPECT_EQ(leading_code("READONLY You can't"), "READONLY");
  EXPECT_EQ(leading_code("ERR"), "ERR");
  EXPECT_EQ(leading_code("Not a code"), "");
  EXPECT_EQ(leading_code("A code"), "");
  EXPECT_EQ(leading_code(""), "");
}

TEST(Errors, AreForCommandsThatAServerCanAnswerSo) {
  const auto can = [](std::string_view code, std::string_view command, bool transaction = false) {
    return can_refuse(code, find_command(command), transaction);
  };
  EXPECT_TRUE(can("READONLY", "SET"));
  EXPECT_FALSE(can("READONLY", "GET"));
  EXPECT_FALSE(can("READONLY", "GET", true));
  EXPECT_TRUE(can("OOM", "SET"));
  EXPECT_FALSE(can("OOM", "DEL"));
  EXPECT_TRUE(can("OOM", "DEL", true));
  EXPECT_TRUE(can("OOM", "EVAL"));
  EXPECT_TRUE(can("LOADING", "GET"));
  EXPECT_TRUE(can("NOSCRIPT", "EVALSHA"));
  EXPECT_FALSE(can("NOSCRIPT", "EVAL"));
  EXPECT_TRUE(can("BUSYGROUP", "XGROUP CREATE"));
  EXPECT_TRUE(can("WHATEVER", "GET"));
  EXPECT_TRUE(can_refuse("READONLY", nullptr, false));
}

TEST(Errors, SomeAreToldOnlyWhenACommandIsCarriedOut) {
  EXPECT_TRUE(is_told_late(error("WRONGTYPE")));
  EXPECT_TRUE(is_told_late(error("ERR", "ERR value is not an integer or out of range")));
  for (const char* const code : {"WRONGPASS", "NOPROTO", "NOTBUSY", "NOSCRIPT"}) {
    EXPECT_TRUE(is_told_late(error(code))) << code;
  }
  EXPECT_FALSE(is_told_late(error("OOM")));
  EXPECT_FALSE(is_told_late(error("ERR", "injected error")));
}

}  // namespace
}  // namespace misrule::codecs::redis
