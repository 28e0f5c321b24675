#include "base/result.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace misrule {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Code::kInvalid, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  MISRULE_TRY(const int once, half(value));
  MISRULE_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, TryGoesOnWithTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().what, "odd");
  EXPECT_EQ(quarter(6).error().code, Code::kInvalid);
}

TEST(Result, ContextIsPutInFront) {
  EXPECT_EQ(errno_error("connect", ENOENT).with("starting").what,
            "starting: connect: No such file or directory");
}

}  // namespace
}  // namespace misrule
