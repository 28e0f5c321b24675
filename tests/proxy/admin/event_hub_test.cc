#include "proxy/admin/event_hub.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/unique_fd.h"

namespace misrule::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

model::Event event_of(std::size_t bytes) {
  model::Event event{.service = "client", .type = "proxy"};
  event.set("query", std::string(bytes, 'x'));
  return event;
}

class EventHubTest : public testing::Test {
 protected:
  UniqueFd nowhere_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  EventHub hub_{nowhere_.fd()};
};

TEST_F(EventHubTest, AReaderSeesEventsFromThenOnInOrder) {
  hub_.emit(event_of(1));
  int woken = 0;
  const auto reader = hub_.follow([&] { ++woken; });
  hub_.emit(event_of(2));
  hub_.emit(event_of(3));
  EXPECT_EQ(woken, 1);
  const std::string lines = reader->take();
  EXPECT_THAT(lines, Not(HasSubstr("\"number\":1,")));
  EXPECT_LT(lines.find("\"number\":2,"), lines.find("\"number\":3,"));
  EXPECT_EQ(reader->take(), "");
  hub_.emit(event_of(4));
  EXPECT_EQ(woken, 2);
}

TEST_F(EventHubTest, WhatASlowReaderHasNoRoomForIsCountedAndTold) {
  const auto slow = hub_.follow([] {});
  const auto quick = hub_.follow([] {});
  constexpr std::size_t kEvent = 1024;
  constexpr std::size_t kEvents = 4 * EventReader::kWaitingMax / kEvent;
  std::size_t got = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    hub_.emit(event_of(kEvent));
    got += quick->take().empty() ? 0 : 1;
  }
  EXPECT_EQ(got, kEvents);
  const std::string lines = slow->take();
  EXPECT_LT(lines.size(), EventReader::kWaitingMax + 2 * kEvent);
  const auto kept = static_cast<std::size_t>(std::ranges::count(lines, '\n')) - 1;
  EXPECT_THAT(lines, HasSubstr(fmt::format("\"events_left_out\",\"count\":{}", kEvents - kept)));
  EXPECT_EQ(hub_.left_out(), kEvents - kept);
  hub_.emit(event_of(1));
  EXPECT_THAT(slow->take(), Not(HasSubstr("events_left_out")));
}

TEST_F(EventHubTest, ReadersAreBoundedAndMakeRoomWhenTheyGo) {
  std::vector<std::shared_ptr<EventReader>> readers;
  while (auto reader = hub_.follow([] {})) readers.push_back(std::move(reader));
  EXPECT_EQ(readers.size(), EventHub::kReadersMax);
  EXPECT_EQ(hub_.readers(), EventHub::kReadersMax);
  readers.pop_back();
  EXPECT_NE(hub_.follow([] {}), nullptr);
  readers.clear();
  hub_.emit(event_of(1));
  EXPECT_EQ(hub_.readers(), 0U);
}

}  // namespace
}  // namespace misrule::proxy
