#include "proxy/net/name_lookup.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace misrule::proxy {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(NameLookup, WhatIsKnownIsAskedForOnce) {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  NameLookup names(
      [asked](const std::string& name) -> std::optional<std::string> {
        ++*asked;
        if (name == "nobody") return std::nullopt;
        return "10.0.0." + name;
      },
      hours(1), hours(1));
  EXPECT_EQ(names.find("7"), "10.0.0.7");
  EXPECT_EQ(names.find("7"), "10.0.0.7");
  EXPECT_EQ(names.find("nobody"), std::nullopt);
  EXPECT_EQ(names.find("nobody"), std::nullopt);
  EXPECT_EQ(*asked, 2);
}

TEST(NameLookup, NobodyWaitsForASlowOne) {
  const auto answer = std::make_shared<std::promise<void>>();
  const std::shared_future<void> answered = answer->get_future().share();
  NameLookup names(
      [answered](const std::string&) -> std::optional<std::string> {
        answered.wait();
        return "10.0.0.1";
      },
      milliseconds(1), hours(1));
  EXPECT_EQ(names.find("slow"), std::nullopt);
  EXPECT_EQ(names.find("slow"), std::nullopt);
  answer->set_value();
  while (!names.find("slow")) {
  }
  EXPECT_EQ(names.find("slow"), "10.0.0.1");
}

TEST(NameLookup, WhatWasKnownHoldsWhileItIsAskedForAnew) {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  NameLookup names(
      [asked](const std::string&) -> std::optional<std::string> {
        if (++*asked == 1) return "10.0.0.1";
        return std::nullopt;
      },
      hours(1), Duration::zero());
  EXPECT_EQ(names.find("host"), "10.0.0.1");
  while (*asked < 3) EXPECT_EQ(names.find("host"), "10.0.0.1");
}

TEST(NameLookup, WhatIsNoNameIsNotAskedFor) {
  NameLookup names([](const std::string&) { return std::optional<std::string>("10.0.0.1"); },
                   hours(1), hours(1));
  for (const char* const wrong : {"", "a b", "a\n", "a/b"}) {
    EXPECT_EQ(names.find(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(names.find(std::string(254, 'a')), std::nullopt);
  EXPECT_EQ(names.find(std::string(253, 'a')), "10.0.0.1");
}

TEST(NameLookup, TheSystemKnowsThisHost) {
  NameLookup names;
  while (!names.find("localhost")) {
  }
  EXPECT_EQ(names.find("localhost"), "127.0.0.1");
}

}  // namespace
}  // namespace misrule::proxy
