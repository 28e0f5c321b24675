#include "codecs/http/ledger.h"

#include <deque>

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

TEST(Ledger, isAQueueWhateverTheOrderOfPushesAndPops) {
  Ledger ledger;
  std::deque<std::uint64_t> expected;
  std::uint64_t next = 0;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const bool grows = (step / 700) % 2 == 0 ? step % 5 != 0 : step % 5 == 0;
    if (grows || expected.empty()) {
      ledger.push({.unit = ++next});
      expected.push_back(next);
      EXPECT_EQ(ledger.back().unit, next);
    } else {
      EXPECT_EQ(ledger.front().unit, expected.front());
      ledger.pop();
      expected.pop_front();
    }
    ASSERT_EQ(ledger.size(), expected.size());
    ASSERT_EQ(ledger.empty(), expected.empty());
  }
  EXPECT_GT(next, 5000U);
}

}  // namespace
}  // namespace misrule::codecs::http
