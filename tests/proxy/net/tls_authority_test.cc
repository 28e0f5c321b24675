#include "proxy/net/tls_authority.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/proxy.h"

namespace misrule::proxy {
namespace {

namespace fs = std::filesystem;

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() { fs::create_directory(folder_); }
  ~AuthorityTest() override { fs::remove_all(folder_); }

  mode_t mode_of(const std::string& name) const {
    struct stat found{};
    EXPECT_EQ(::stat((folder_ + "/" + name).c_str(), &found), 0) << name;
    return found.st_mode & 0777U;
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string folder_ = testing::TempDir() + "authority_test_" + std::to_string(::getpid());
};

TEST_F(AuthorityTest, ItsKeyIsItsOwnersAlone) {
  const mode_t before = ::umask(0);
  const auto made = make_authority(folder_);
  ::umask(before);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(*made, folder_ + "/ca.pem");
  EXPECT_EQ(mode_of("ca.pem"), 0644U);
  EXPECT_EQ(mode_of("ca.key"), 0600U);
  EXPECT_THAT(text_of("ca.pem"), testing::Not(testing::HasSubstr("PRIVATE")));
}

TEST_F(AuthorityTest, OneThatIsThereStays) {
  ASSERT_TRUE(make_authority(folder_));
  const std::string first = text_of("ca.key");
  ASSERT_TRUE(make_authority(folder_));
  EXPECT_EQ(text_of("ca.key"), first);
  EXPECT_FALSE(make_authority(folder_ + "/nowhere"));
  EXPECT_FALSE(Authority::load(folder_ + "/nowhere"));
}

TEST_F(AuthorityTest, WhatItSignsIsForThoseNames) {
  ASSERT_TRUE(make_authority(folder_));
  const auto authority = Authority::load(folder_);
  ASSERT_TRUE(authority) << authority.error().what;
  const auto made = (*authority)->issue({"db", "shop.example", "192.0.2.1", "a,DNS:evil.example"});
  ASSERT_TRUE(made) << made.error().what;
  X509* leaf = made->certificate.get();
  for (const char* name : {"localhost", "db", "shop.example"}) {
    EXPECT_EQ(::X509_check_host(leaf, name, 0, 0, nullptr), 1) << name;
  }
  for (const char* name : {"evil.example", "other", "a"}) {
    EXPECT_EQ(::X509_check_host(leaf, name, 0, 0, nullptr), 0) << name;
  }
  for (const char* address : {"127.0.0.1", "::1", "192.0.2.1"}) {
    EXPECT_EQ(::X509_check_ip_asc(leaf, address, 0), 1) << address;
  }
  EXPECT_EQ(::X509_check_ca(leaf), 0);
}

TEST_F(AuthorityTest, NamesOfAnyLengthAreSigned) {
  ASSERT_TRUE(make_authority(folder_));
  const auto authority = Authority::load(folder_);
  ASSERT_TRUE(authority);
  for (const std::size_t size : {64U, 65U, 253U, 254U, 5000U}) {
    EXPECT_TRUE((*authority)->issue({std::string(size, 'n')})) << size;
  }
  EXPECT_TRUE((*authority)->issue({}));
}

}  // namespace
}  // namespace misrule::proxy
