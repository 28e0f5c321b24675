#include "codecs/http/damage.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

std::string damaged(std::string text, std::uint64_t seed, std::uint64_t bytes, std::size_t cut) {
  Damage damage(seed, bytes);
  damage.aim(text.size());
  for (std::size_t at = 0; at < text.size(); at += cut) {
    damage.apply(std::span(text).subspan(at, std::min(cut, text.size() - at)));
  }
  return text;
}

std::size_t differences(const std::string& a, const std::string& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

TEST(Damage, changesSoManyBytesHoweverTheyCome) {
  const std::string text(1000, 'x');
  for (const std::uint64_t bytes : {1U, 7U, 999U, 1000U, 5000U}) {
    const std::string whole = damaged(text, 3, bytes, text.size());
    EXPECT_EQ(differences(whole, text), std::min<std::size_t>(bytes, 1000));
    EXPECT_EQ(damaged(text, 3, bytes, 1), whole);
    EXPECT_EQ(damaged(text, 3, bytes, 64), whole);
  }
  EXPECT_NE(damaged(text, 3, 1, 1000), damaged(text, 4, 1, 1000));
  EXPECT_EQ(damaged(text, 3, 0, 1000), text);
  EXPECT_EQ(damaged("", 3, 1, 1), "");
}

TEST(Damage, neverMakesWhatItMustNot) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    std::string text = "\v\f!";
    Damage damage(seed, 3, "\r\n ");
    damage.aim(text.size());
    damage.apply(text);
    EXPECT_EQ(differences(text, "\v\f!"), 3U);
    EXPECT_EQ(text.find_first_of("\r\n "), std::string::npos) << seed;
  }
}

}  // namespace
}  // namespace misrule::codecs::http
