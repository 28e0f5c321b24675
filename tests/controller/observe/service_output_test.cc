#include "controller/observe/service_output.h"

#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

class CollectingSink final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override {
    events.push_back(std::move(event));
    return events.size();
  }
  std::vector<model::Event> events;
};

std::vector<std::string> split(const std::vector<std::string>& pieces) {
  std::vector<std::string> lines;
  LineSplitter splitter;
  const auto keep = [&lines](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& piece : pieces) splitter.feed(piece, keep);
  splitter.finish(keep);
  return lines;
}

TEST(LineSplitterTest, EveryCutGivesTheSameLines) {
  const std::string text = "one\r\ntwo\n\nlast";
  const std::vector<std::string> expected = {"one", "two", "", "last"};
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(split({text.substr(0, cut), text.substr(cut)}), expected) << cut;
  }
}

TEST(LineSplitterTest, ALineBeyondTheLimitComesInPieces) {
  EXPECT_EQ(split({std::string(kLineBytesMax - 1, 'x') + "\n"}).size(), 1U);
  const auto pieces = split({std::string(kLineBytesMax + 1, 'x') + "\n"});
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].size(), kLineBytesMax);
  EXPECT_EQ(pieces[1], "x");
}

TEST(LineEventTest, AJsonLineIsDecodedAndOwnFieldsWin) {
  const model::Event event = line_event(
      "api", "stdout", R"({"action":"retry","attempt":2,"body":"x","nested":{"a":[1]}})");
  EXPECT_EQ(event.type, "stdout");
  EXPECT_EQ(model::field_text(*event.find("action")), "retry");
  EXPECT_EQ(std::get<std::int64_t>(*event.find("attempt")), 2);
  EXPECT_EQ(std::get<model::Json>(*event.find("nested")).text, R"({"a":[1]})");
  EXPECT_TRUE(model::field_text(*event.find("body")).starts_with("{\"action\""));
  ASSERT_NE(event.find("data"), nullptr);
}

TEST(LineEventTest, AnythingElseIsABody) {
  for (const char* line : {"plain", "{broken", "[1]", "", "{\"a\":1} trailing"}) {
    const model::Event event = line_event("api", "stderr", line);
    EXPECT_EQ(event.fields.size(), 2U) << line;
    EXPECT_EQ(model::field_text(event.fields[0].second), line);
  }
}

TEST(ServiceOutputTest, ReadsUntilThePipeEnds) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  CollectingSink sink;
  std::vector<std::string> told;
  ServiceOutput output({.service = "api",
                        .stream = "stdout",
                        .pipe = UniqueFd(ends[0]),
                        .on_line = [&told](std::string_view line) { told.emplace_back(line); }},
                       sink);
  ASSERT_EQ(::write(ends[1], "a\nb", 3), 3);
  EXPECT_TRUE(output.drain());
  EXPECT_EQ(sink.events.size(), 1U);
  ::close(ends[1]);
  EXPECT_FALSE(output.drain());
  EXPECT_EQ(told, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace misrule::controller
