#include "codecs/http/event_stream.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

TEST(EventStream, eventsEndWithAnEmptyLine) {
  const std::string all = "data: a\n\n: hi\r\n\r\nid: 1\r\ndata: b\r\ndata:c\r\n\r\ndata: rest";
  for (std::size_t cut = 1; cut <= all.size(); ++cut) {
    EventStream stream;
    std::vector<std::string> events;
    for (std::size_t at = 0; at < all.size(); at += cut) {
      stream.add(ByteView(all).substr(at, cut));
      while (auto event = stream.next()) events.push_back(*event);
    }
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0], "data: a\n\n");
    EXPECT_EQ(events[2], "id: 1\r\ndata: b\r\ndata:c\r\n\r\n");
    EXPECT_FALSE(stream.at_border());
    EXPECT_EQ(stream.take_rest(), "data: rest");
    EXPECT_TRUE(stream.at_border());
  }
}

TEST(EventStream, dataIsWhatTheLinesSay) {
  EXPECT_EQ(event_data("id: 1\r\ndata: b\r\ndata:  c\r\n\r\n"), "b\n c");
  EXPECT_EQ(event_data("data\n\n"), "");
  EXPECT_EQ(data_lines("data: b\nid: 1\ndata\ndata:  c\r\n\r\n"),
            (std::vector<ByteView>{"b", "", " c"}));
  EXPECT_EQ(event_data("database: x\n\n"), std::nullopt);
  EXPECT_EQ(event_data(": comment\n\n"), std::nullopt);
}

}  // namespace
}  // namespace misrule::codecs::http
