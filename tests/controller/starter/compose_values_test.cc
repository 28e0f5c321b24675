// Commands, ports, variables, URLs and Dockerfiles, as compose files have them.

#include "controller/starter/compose_values.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using Words = std::vector<std::string>;

TEST(ComposeValues, WordsAreThoseOfAShell) {
  EXPECT_EQ(split_words(R"( sh -c "a 'b' \"c\"" 'd "e"' f\ g '' )"),
            (Words{"sh", "-c", "a 'b' \"c\"", "d \"e\"", "f g", ""}));
  EXPECT_EQ(split_words(" \t"), Words());
  EXPECT_EQ(split_words("\"open"), Words{"open"});
  EXPECT_EQ(split_words("end\\"), Words{"end\\"});
}

TEST(ComposeValues, PortsAreThoseWithinTheContainer) {
  EXPECT_EQ(container_port("8080"), 8080);
  EXPECT_EQ(container_port("80:8080"), 8080);
  EXPECT_EQ(container_port("127.0.0.1:80:8080/tcp"), 8080);
  for (const char* text : {"", "80-90", "80:8080-8090", "70000", "0", "a", "80:"}) {
    EXPECT_FALSE(container_port(text).has_value()) << text;
  }
}

TEST(ComposeValues, TheFirstUrlIsFound) {
  const auto url = find_http_url("CMD curl -f http://localhost:8000/up?x=1 || exit 1");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->port, 8000);
  EXPECT_EQ(url->path, "/up?x=1");
  EXPECT_EQ(find_http_url("wget http://api")->path, "/");
  EXPECT_EQ(find_http_url("wget http://api")->port, 80);
  EXPECT_FALSE(find_http_url("pg_isready").has_value());
  EXPECT_FALSE(find_http_url("curl http://api:x/").has_value());
}

std::string shown(std::string_view text) {
  std::string out;
  for (const ValuePiece& piece : split_variables(text)) {
    out += piece.variable.empty() ? "[" + piece.text + "]"
                                  : "<" + piece.variable + "|" + piece.text + ">";
  }
  return out;
}

TEST(ComposeValues, VariablesHaveDefaults) {
  EXPECT_EQ(shown("plain"), "[plain]");
  EXPECT_EQ(shown(""), "[]");
  EXPECT_EQ(shown("a${B}c"), "[a]<B|>[c]");
  EXPECT_EQ(shown("${B:-x y}$C_1"), "<B|x y><C_1|>");
  EXPECT_EQ(shown("${B-}"), "<B|>");
  EXPECT_EQ(shown("1$$2 $ ${open"), "[1$2 $ ${open]");
}

TEST(ComposeValues, ADockerfileSaysWhatRuns) {
  EXPECT_EQ(dockerfile_command("FROM a\nCMD [\"x\", \"y z\"]\n"), (Words{"x", "y z"}));
  EXPECT_EQ(dockerfile_command("CMD a\nENTRYPOINT [\"e\"]\nCMD b c"), (Words{"e", "b", "c"}));
  EXPECT_EQ(dockerfile_command("FROM a\nRUN CMD x\n"), Words());
  EXPECT_EQ(dockerfile_command("CMD [\"x\"\n"), Words());
}

}  // namespace
}  // namespace misrule::controller
