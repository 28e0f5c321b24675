#include "controller/bundle/archive.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

class Archive : public testing::Test {
 protected:
  Archive() { fs::create_directories(folder_); }
  ~Archive() override { fs::remove_all(folder_); }

  std::string path(const char* name) const { return folder_ / name; }

  /// How reading `files` fails; empty if it does not.
  std::string refusal(const ArchiveFiles& files, const ArchiveBounds& bounds = {}) {
    EXPECT_TRUE(write_archive(path("a"), files));
    const auto read = read_archive(path("a"), bounds);
    return read ? "" : read.error().what;
  }

  fs::path folder_ = fs::temp_directory_path() / fmt::format("misrule-archive-{}", ::getpid());
};

TEST_F(Archive, WhatIsWrittenIsRead) {
  const ArchiveFiles files = {{"a.txt", "text"}, {"b/c", std::string(3'000'000, 'x')}, {"e", ""}};
  ASSERT_TRUE(write_archive(path("a"), files));
  const auto read = read_archive(path("a"));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, files);
  EXPECT_LT(fs::file_size(path("a")), 10'000U) << "it is compressed";
}

TEST_F(Archive, TheSameFilesGiveTheSameBytes) {
  const auto bytes = [this](const char* name) {
    EXPECT_TRUE(write_archive(path(name), {{"a", "1"}, {"b", "2"}}));
    std::ifstream file(path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(bytes("one"), bytes("two"));
}

TEST_F(Archive, NamesThatLeadElsewhereAreRefused) {
  EXPECT_EQ(refusal({{"spec/..shop.star", ""}}), "") << "the control";
  for (const char* name :
       {"/etc/passwd", "../up", "a/../../up", "./a", "a//b", "a\\..\\b", "a\nb"}) {
    EXPECT_NE(refusal({{name, "x"}}).find("harmful name"), std::string::npos) << name;
  }
}

TEST_F(Archive, WhatUnpacksToTooMuchIsRefused) {
  const ArchiveFiles bomb = {{"zeros", std::string(2 << 20U, '\0')}};
  EXPECT_EQ(refusal(bomb, {.bytes_max = 2 << 20U}), "");
  EXPECT_NE(refusal(bomb, {.bytes_max = 1 << 20U}).find("more than 1 MiB"), std::string::npos);
  EXPECT_EQ(refusal({{"a", ""}, {"b", ""}}, {.files_max = 2}), "");
  EXPECT_NE(refusal({{"a", ""}, {"b", ""}}, {.files_max = 1}).find("too many files"),
            std::string::npos);
}

TEST_F(Archive, WhatIsCutIsRefusedWhereverItIsCut) {
  ArchiveFiles files;
  for (int i = 0; i < 40; ++i) files[fmt::format("f{}", i)] = fmt::format("{}", i * 7919);
  ASSERT_TRUE(write_archive(path("a"), files));
  const auto whole = fs::file_size(path("a"));
  for (std::uintmax_t size = whole - 1; size > 4; size -= std::min<std::uintmax_t>(size - 4, 97)) {
    fs::copy_file(path("a"), path("cut"), fs::copy_options::overwrite_existing);
    fs::resize_file(path("cut"), size);
    const auto read = read_archive(path("cut"));
    // What comes after the last file may be missing.
    if (read) EXPECT_EQ(*read, files) << size << " of " << whole;
    if (size + 64 < whole) EXPECT_FALSE(read) << size << " of " << whole;
  }
}

TEST_F(Archive, WhatIsNoneIsRefused) {
  std::ofstream(path("text")) << "no archive at all, but a text of some length\n";
  std::ofstream(path("empty")) << "";
  for (const char* name : {"text", "empty", "missing"}) {
    EXPECT_FALSE(read_archive(path(name))) << name;
  }
}

}  // namespace
}  // namespace misrule::controller
