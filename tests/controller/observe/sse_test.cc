#include "controller/observe/sse.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "controller/observe/line_splitter.h"

namespace misrule::controller {
namespace {

using Texts = std::vector<std::string>;

Texts parsed(const std::vector<std::string>& pieces) {
  Texts texts;
  SseParser parser;
  for (const std::string& piece : pieces) {
    parser.feed(piece, [&texts](const SseEvent& event) {
      texts.push_back(event.name + "|" + event.id + "|" + event.data);
    });
  }
  return texts;
}

TEST(SseTest, EveryCutGivesTheSameEvents) {
  const std::string text =
      "\xef\xbb\xbf"
      "data: one\n\n: comment\r\n\r\nid: 7\revent: add\rdata:two\rdata:  lines\r\r"
      "data\n\nevent: lost\n\nid\ndata: last\r\n\r\ndata: unended\n";
  const Texts expected = {"message||one", "add|7|two\n lines", "message|7|", "message||last"};
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(parsed({text.substr(0, cut), text.substr(cut)}), expected) << cut;
  }
}

TEST(SseTest, HostileStreamsAreBounded) {
  std::string data;
  SseParser parser;
  const auto keep = [&data](const SseEvent& event) { data = event.data; };
  const std::string piece(1 << 16, 'x');
  parser.feed("data:", keep);
  for (int i = 0; i < 64; ++i) parser.feed(piece, keep);
  for (int i = 0; i < 64; ++i) parser.feed("\ndata:" + piece, keep);
  parser.feed("\nid: " + piece + "\n\n", keep);
  EXPECT_LE(data.size(), 2 * kLineBytesMax);
  EXPECT_LE(parser.last_id().size(), 4096U);
  parser.restart();
  EXPECT_FALSE(parser.last_id().empty());
}

}  // namespace
}  // namespace misrule::controller
