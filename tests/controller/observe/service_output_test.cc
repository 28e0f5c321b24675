#include "controller/observe/service_output.h"

#include <fstream>
#include <sstream>
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
  const model::Event event =
      line_event({.service = "api", .stream = "stdout"}, LineDecoder(),
                 R"({"action":"retry","attempt":2,"body":"x","nested":{"a":[1]}})");
  EXPECT_EQ(event.type, "stdout");
  EXPECT_EQ(model::field_text(*event.find("action")), "retry");
  EXPECT_EQ(std::get<std::int64_t>(*event.find("attempt")), 2);
  EXPECT_EQ(std::get<model::Json>(*event.find("nested")).text, R"({"a":[1]})");
  EXPECT_TRUE(model::field_text(*event.find("body")).starts_with("{\"action\""));
  ASSERT_NE(event.find("data"), nullptr);
}

TEST(LineEventTest, AnythingElseIsABody) {
  for (const char* line : {"plain", "{broken", "[1]", "", "{\"a\":1} trailing"}) {
    const model::Event event =
        line_event({.service = "api", .stream = "stderr"}, LineDecoder(), line);
    EXPECT_EQ(event.fields.size(), 2U) << line;
    EXPECT_EQ(model::field_text(event.fields[0].second), line);
  }
}

TEST(ServiceOutputTest, ReadsUntilThePipeEnds) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  CollectingSink sink;
  std::vector<std::string> told;
  OutputBudget budget;
  ServiceOutput output({.origin = {.service = "api", .stream = "stdout"},
                        .pipe = UniqueFd(ends[0]),
                        .on_line = [&told](std::string_view line) { told.emplace_back(line); },
                        .budget = budget},
                       sink);
  ASSERT_EQ(::write(ends[1], "a\nb", 3), 3);
  EXPECT_TRUE(output.drain());
  EXPECT_EQ(sink.events.size(), 1U);
  ::close(ends[1]);
  EXPECT_FALSE(output.drain());
  EXPECT_EQ(told, (std::vector<std::string>{"a", "b"}));
}

/// A pipe that whoever reads it finds as full as before.
class EndlessPipe {
 public:
  EndlessPipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader = UniqueFd(ends[0]);
    writer_ = UniqueFd(ends[1]);
    fill();
  }
  std::size_t fill() {
    const std::string line = std::string(99, 'x') + "\n";
    std::size_t written = 0;
    while (::write(writer_.fd(), line.data(), line.size()) == 100) written += line.size();
    return written;
  }
  UniqueFd reader;

 private:
  UniqueFd writer_;
};

TEST(ServiceOutputTest, AServiceThatNeverPausesIsReadForATurnOnly) {
  EndlessPipe pipe;
  CollectingSink sink;
  OutputBudget budget;
  const int capacity = ::fcntl(pipe.reader.fd(), F_GETPIPE_SZ);
  std::size_t told = 0;
  // Each line is followed by another before it has been taken.
  ServiceOutput output({.origin = {.service = "api", .stream = "stdout"},
                        .pipe = std::move(pipe.reader),
                        .on_line =
                            [&](std::string_view) {
                              ASSERT_LT(++told, 100'000U) << "it does not come back";
                              pipe.fill();
                            },
                        .budget = budget},
                       sink);
  EXPECT_TRUE(output.drain());
  EXPECT_GE(told, static_cast<std::size_t>(capacity) / 200) << "what was there";
  EXPECT_LE(told, static_cast<std::size_t>(capacity) / 50) << "and little more";
}

TEST(ServiceOutputTest, BeyondItsLimitsLinesAreCountedAndOneEventSaysSo) {
  for (const OutputLimits limits : {OutputLimits{.lines = 2}, OutputLimits{.bytes = 5}}) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    CollectingSink sink;
    OutputBudget budget(limits);
    std::vector<std::string> told;
    ServiceOutput output({.origin = {.service = "api", .stream = "stdout"},
                          .pipe = UniqueFd(ends[0]),
                          .on_line = [&told](std::string_view line) { told.emplace_back(line); },
                          .budget = budget},
                         sink);
    ASSERT_EQ(::write(ends[1], "ab\ncd\n", 6), 6);
    EXPECT_TRUE(output.drain());
    EXPECT_EQ(sink.events.size(), 2U) << "the control: at the limit";
    EXPECT_EQ(budget.rest_text("api"), "");
    ASSERT_EQ(::write(ends[1], "efg\nh\n", 6), 6);
    ::close(ends[1]);
    EXPECT_FALSE(output.drain());
    ASSERT_EQ(sink.events.size(), 3U);
    EXPECT_EQ(sink.events[2].type, "lifecycle");
    EXPECT_EQ(model::field_text(*sink.events[2].find("action")), "output_cut");
    EXPECT_EQ(told.size(), 4U) << "the last lines are known all the same";
    EXPECT_EQ(budget.rest_text("api"),
              "api printed 2 more lines (4 bytes) than are recorded as events: see api.log");
  }
}

TEST(ServiceOutputTest, TheFileEndsAtItsLimit) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const std::string path = testing::TempDir() + "service_output_test.log";
  CollectingSink sink;
  OutputBudget budget({.lines = 1, .file_bytes = 7});
  ServiceOutput output(
      {.origin = {.service = "api", .stream = "stdout"},
       .pipe = UniqueFd(ends[0]),
       .file = UniqueFd(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)),
       .budget = budget},
      sink);
  ASSERT_EQ(::write(ends[1], "ab\ncd\nef\n", 9), 9);
  ::close(ends[1]);
  EXPECT_FALSE(output.drain());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "ab\ncd\ne");
  EXPECT_TRUE(budget.rest_text("api").ends_with("see api.log, which ends after 7 bytes"));
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace misrule::controller
