// The kernel tells of a change before the call that made it returns: nothing here has to wait.

#include "proxy/main/file_watch.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace misrule::proxy {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() : folder_(testing::TempDir() + "file_watch_" + std::to_string(::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FileWatchTest() override { fs::remove_all(folder_); }
  void write(const std::string& name) const { std::ofstream(folder_ / name) << "text"; }
  FileWatch watch(const std::string& name) const {
    auto started = FileWatch::start((folder_ / name).string());
    EXPECT_TRUE(started);
    return *std::move(started);
  }

  fs::path folder_;
};

TEST_F(FileWatchTest, TellsOfWritingAndReplacing) {
  write("rules");
  FileWatch watched = watch("rules");
  EXPECT_FALSE(watched.take_changes());
  for (int i = 0; i < 3; ++i) {
    write("rules");
    EXPECT_TRUE(watched.take_changes());
    write("other");
    EXPECT_FALSE(watched.take_changes());
    fs::rename(folder_ / "other", folder_ / "rules");
    EXPECT_TRUE(watched.take_changes());
    fs::remove(folder_ / "rules");
    EXPECT_TRUE(watched.take_changes());
  }
}

TEST_F(FileWatchTest, AFileThatIsBeingMadeIsNotWholeYet) {
  FileWatch watched = watch("rules");
  {
    std::ofstream file(folder_ / "rules");
    file << "half" << std::flush;
    EXPECT_FALSE(watched.take_changes());
  }
  EXPECT_TRUE(watched.take_changes());
}

TEST_F(FileWatchTest, FollowsLinksThatAreExchanged) {
  for (const char* name : {"one", "two", "three"}) {
    fs::create_directory(folder_ / name);
    write(std::string(name) + "/rules");
  }
  fs::create_symlink("one", folder_ / "data");
  fs::create_symlink("data/rules", folder_ / "rules");
  FileWatch watched = watch("rules");
  for (const char* name : {"two", "three", "one"}) {
    fs::create_symlink(name, folder_ / "next");
    EXPECT_FALSE(watched.take_changes());
    fs::rename(folder_ / "next", folder_ / "data");
    EXPECT_TRUE(watched.take_changes()) << name;
    write(std::string(name) + "/rules");
    EXPECT_TRUE(watched.take_changes()) << name;
  }
}

TEST_F(FileWatchTest, LinksThatGoRoundEnd) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  FileWatch watched = watch("a");
  fs::remove(folder_ / "b");
  EXPECT_TRUE(watched.take_changes());
}

}  // namespace
}  // namespace misrule::proxy
