#include "codecs/postgres/sql_lexer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace misrule::codecs::postgres {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> tokens(std::string_view sql, Backslash backslash = Backslash::kOrdinary) {
  SqlLexer lexer(sql, backslash);
  std::vector<std::string> found;
  SqlToken token;
  while (lexer.next(token)) {
    EXPECT_EQ(sql.substr(token.begin, token.text.size()), token.text);
    found.emplace_back(token.text);
  }
  return found;
}

TEST(SqlLexer, CutsWordsStringsNamesAndSymbols) {
  EXPECT_THAT(
      tokens("select a$1, $2::int,'it''s',\"a\"\"b\""),
      ElementsAre("select", "a$1", ",", "$2", ":", ":", "int", ",", "'it''s'", ",", "\"a\"\"b\""));
  EXPECT_THAT(tokens("1.5e3-x"), ElementsAre("1", ".", "5e3", "-", "x"));
  EXPECT_THAT(tokens("name'x'"), ElementsAre("name", "'x'"));
}

TEST(SqlLexer, EscapesOnlyWhereTheyCount) {
  EXPECT_THAT(tokens("'a\\' b"), ElementsAre("'a\\'", "b"));
  EXPECT_THAT(tokens("e'a\\' b' c"), ElementsAre("e'a\\' b'", "c"));
  EXPECT_THAT(tokens("'a\\' b' c", Backslash::kEscapes), ElementsAre("'a\\' b'", "c"));
}

TEST(SqlLexer, DollarQuotesEndWithTheirOwnTag) {
  EXPECT_THAT(tokens("$$a;$b$;$$ x"), ElementsAre("$$a;$b$;$$", "x"));
  EXPECT_THAT(tokens("$b$a;$$;$b$ x"), ElementsAre("$b$a;$$;$b$", "x"));
  EXPECT_THAT(tokens("$b$ open"), ElementsAre("$b$ open"));
  EXPECT_THAT(tokens("$ $1$"), ElementsAre("$", "$1$"));
}

TEST(SqlLexer, CommentsAreBlanks) {
  SqlLexer lexer("/* a /* b */ c */x--y\nz");
  SqlToken token;
  ASSERT_TRUE(lexer.next(token));
  EXPECT_EQ(token.text, "x");
  EXPECT_TRUE(token.blank_before);
  ASSERT_TRUE(lexer.next(token));
  EXPECT_EQ(token.text, "z");
  EXPECT_TRUE(token.blank_before);
  EXPECT_FALSE(lexer.next(token));
}

TEST(SqlLexer, WordsAreComparedWithoutCase) {
  SqlLexer lexer("CoMMit \"commit\"");
  SqlToken token;
  lexer.next(token);
  EXPECT_TRUE(is_word(token, "commit"));
  lexer.next(token);
  EXPECT_FALSE(is_word(token, "commit")) << "a name, not a keyword";
}

}  // namespace
}  // namespace misrule::codecs::postgres
