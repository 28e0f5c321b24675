#include "proxy/net/unix_sockets.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "proxy/net/sockets.h"

namespace misrule::proxy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class UnixSocketsTest : public testing::Test {
 protected:
  ~UnixSocketsTest() override { fs::remove(path_); }

  const std::string path_ = testing::TempDir() + "unix_test_" + std::to_string(::getpid());
  const Endpoint endpoint_ = *parse_endpoint("unix:" + path_);
};

TEST_F(UnixSocketsTest, AnAddressIsSpelledAsItIsRead) {
  EXPECT_EQ(endpoint_text(endpoint_), "unix:" + path_);
  const auto fd = listen_on(endpoint_, false);
  ASSERT_TRUE(fd) << fd.error().what;
  EXPECT_EQ(endpoint_text(bound_to(*fd)), "unix:" + path_);
  for (const char* wrong : {"unix:", "unix:relative", "unix:/folder/"}) {
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
  }
}

TEST_F(UnixSocketsTest, TheModeIsThereFromTheBeginning) {
  const auto fd = listen_on(endpoint_, false, 0600);
  ASSERT_TRUE(fd);
  struct stat found{};
  ASSERT_EQ(::lstat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(UnixSocketsTest, OnlyWhatNobodyListensOnIsCleared) {
  {
    const auto first = listen_on(endpoint_, false);
    ASSERT_TRUE(first);
    const auto second = listen_on(endpoint_, false);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().what, HasSubstr("another process listens"));
  }
  EXPECT_TRUE(fs::exists(path_));
  EXPECT_TRUE(listen_on(endpoint_, false));
  fs::remove(path_);
  std::ofstream(path_) << "mine";
  EXPECT_FALSE(listen_on(endpoint_, false));
  EXPECT_EQ(fs::file_size(path_), 4U);
}

TEST_F(UnixSocketsTest, AFileIsRemovedByItsOwnerUnlessItIsAnothersNow) {
  auto fd = listen_on(endpoint_, false);
  {
    const SocketFile file(endpoint_);
  }
  EXPECT_FALSE(fs::exists(path_));
  fd = listen_on(endpoint_, false);
  SocketFile file(endpoint_);
  SocketFile moved = std::move(file);
  file.remove();
  EXPECT_TRUE(fs::exists(path_));
  fs::rename(path_, path_ + ".old");
  const auto other = listen_on(endpoint_, false);
  moved.remove();
  EXPECT_TRUE(fs::exists(path_));
  fs::remove(path_ + ".old");
}

}  // namespace
}  // namespace misrule::proxy
