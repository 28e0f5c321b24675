#include "controller/report/run_page.h"

#include <filesystem>
#include <fstream>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <zlib.h>

#include "controller/events/event_log.h"
#include "controller/events/utf8.h"
#include "controller/report/pack.h"
#include "controller/report/page_events.h"
#include "controller/report/run_json.h"
#include "tests/controller/report/sample_page.h"
#include "tests/controller/report/sample_run.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; at += word.size()) ++count;
  return count;
}

std::string decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.resize(length < 0 ? 0 : static_cast<std::size_t>(length) - padding);
  return out;
}

std::string unpacked(const std::string& bytes) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string input = bytes;
  std::string out(64U << 20U, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class Page : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("misrule-page-test-{}", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  static std::string page_of(const RunResult& result) {
    return run_page(result, run_to_json(result, sample_request(), "0.1.0", "misrule"));
  }

  static json::object unpacked_data(std::string_view page) {
    constexpr std::string_view kBegin = "id=\"run-data\">";
    const std::size_t begin = page.find(kBegin) + kBegin.size();
    const std::string_view data = page.substr(begin, page.find('<', begin) - begin);
    return json::parse(unpacked(decoded(data))).as_object();
  }

  fs::path folder_;
};

TEST_F(Page, HostileTextsStayTexts) {
  const std::string page = page_of(sample_page_result(folder_));
  // The page's own two scripts, and nothing that a text brought with it.
  EXPECT_EQ(count_of(page, "<script"), 2U);
  EXPECT_EQ(count_of(page, "</script"), 2U);
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("&lt;/script&gt;&lt;script&gt;document.title=&#39;owned&#39;"));
  EXPECT_EQ(as_utf8(page), page);
  EXPECT_EQ(count_of(page, "id=\"run-data\""), 1U);
  EXPECT_THAT(page, HasSubstr("&amp;@DATA@"));
}

TEST_F(Page, WhatSaysNothingIsNotCountedAsFailed) {
  using model::Outcome;
  RunResult result = {.plan = {.run_id = "7"}};
  for (const Outcome outcome :
       {Outcome::kPassed, Outcome::kFailed, Outcome::kNoOracle, Outcome::kNotExercised}) {
    result.reports.push_back({.test = "t", .outcome = outcome});
  }
  EXPECT_THAT(page_of(result),
              HasSubstr("<title>Misrule run 7: 1 of 4 tests did not pass, 2 say nothing</title>"));
  result.reports.resize(2);
  EXPECT_THAT(page_of(result),
              HasSubstr("<title>Misrule run 7: 1 of 2 tests did not pass</title>"));
}

TEST_F(Page, AFilterSeesAllTextOfTheRun) {
  RunResult result = sample_page_result(folder_);
  result.reports.front().test = "the secret";
  result.reports.front().description = "another secret";
  file("api.log", "a secret was printed");
  const auto hide = [](std::string text) {
    for (std::size_t at = 0; (at = text.find("secret", at)) != text.npos;) text.replace(at, 6, "-");
    return text;
  };
  const std::string page =
      run_page(result, run_to_json(result, sample_request(), "0.1.0", "misrule"), hide);
  EXPECT_THAT(page, HasSubstr("the -"));
  EXPECT_THAT(page, Not(HasSubstr("secret")));
  const std::string data = json::serialize(unpacked_data(page));
  EXPECT_THAT(data, HasSubstr("a - was printed"));
  EXPECT_THAT(data, Not(HasSubstr("secret")));
}

TEST_F(Page, ItNeedsNothingFromElsewhere) {
  const std::string page = page_of(sample_page_result(folder_));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* word : {"src=", "@import", "url(", "<link", "<iframe", "fetch(", "import("}) {
    const std::string_view shell = std::string_view(page).substr(page.find("<script>"));
    EXPECT_EQ(count_of(shell, word), 0U) << word;
    EXPECT_EQ(count_of(page.substr(0, page.find("<main")), word), 0U) << word;
  }
}

TEST_F(Page, TenThousandEventsAreLessThanTwoMegabytesAndAllThere) {
  const std::string page = page_of(sample_page_result(folder_));
  EXPECT_LT(page.size(), 2'000'000U);
  const json::object data = unpacked_data(page);
  const json::array& tests = data.at("tests").as_array();
  std::size_t events = 0;
  for (const json::value& test : tests) events += test.at("events").as_array().size();
  EXPECT_EQ(events, std::size_t{kSampleEvents} + kCellEvents);
}

TEST_F(Page, AControlStandsThereOnceForAllOfItsCells) {
  RunResult result = sample_page_result(folder_);
  const auto cell =
      std::ranges::find(result.reports, "test_inconclusive", &model::TestReport::test);
  const model::TestReport twin = *cell;
  result.reports.push_back(twin);
  const json::object data = unpacked_data(page_of(result));
  ASSERT_EQ(data.at("controls").as_array().size(), 1U);
  EXPECT_EQ(data.at("controls").at(0).at("events").as_array().size(), twin.control->events_total);
  std::size_t beside = 0;
  for (const json::value& test : data.at("tests").as_array()) {
    const json::value* control = test.as_object().if_contains("control");
    if (control == nullptr) continue;
    EXPECT_EQ(control->as_int64(), 0);
    ++beside;
  }
  EXPECT_EQ(beside, 2U);
}

TEST_F(Page, ARunOfManyEventsShowsFewerOfEachTest) {
  RunResult result = sample_page_result(folder_);
  const model::TestReport busy = *std::ranges::max_element(
      result.reports, {}, [](const model::TestReport& report) { return report.events_total; });
  result.reports.assign(8, busy);
  const json::object data = unpacked_data(page_of(result));
  for (const json::value& test : data.at("tests").as_array()) {
    EXPECT_EQ(test.at("events").as_array().size(), 5'000U);
    EXPECT_EQ(test.at("left_out").as_int64(), 5'000);
  }
}

TEST_F(Page, DataHoldTheRunItsSourceAndItsLogsAsTheyWere) {
  const RunResult result = sample_page_result(folder_);
  const json::object data = unpacked_data(page_of(result));
  EXPECT_EQ(data.at("run").at("schema").as_string(), "misrule.run/1");
  EXPECT_EQ(data.at("run").at("tests").as_array().size(), result.reports.size());
  const std::string source =
      json::value_to<std::string>(data.at("sources").at((folder_ / "shop.star").string()));
  EXPECT_THAT(source, HasSubstr("# line 80 " + as_utf8(kHostileText)));
  for (std::size_t i = 0; i < result.reports.size(); ++i) {
    if (result.reports[i].event_log.empty()) continue;
    const json::value& log = data.at("tests").at(i).at("logs").at("api.log");
    EXPECT_EQ(log.at("text").as_string(), "listening\n" + as_utf8(kHostileText) + "\n");
    EXPECT_EQ(log.at("cut").as_bool(), false);
  }
}

TEST_F(Page, OfALongLogTheEndIsThere) {
  RunResult result = sample_page_result(folder_);
  file("api.log", std::string(100'000, 'x') + "the end");
  const json::object data = unpacked_data(page_of(result));
  for (const json::value& test : data.at("tests").as_array()) {
    if (test.at("events").as_array().empty()) continue;
    const json::value& log = test.at("logs").at("api.log");
    EXPECT_TRUE(log.at("text").as_string().ends_with("xthe end"));
    EXPECT_EQ(log.at("text").as_string().size(), std::size_t{32} << 10U);
    EXPECT_EQ(log.at("bytes").as_int64(), 100'007);
    EXPECT_TRUE(log.at("cut").as_bool());
  }
}

TEST_F(Page, ARunThatCouldNotBeginHasAPageToo) {
  RunResult result;
  result.problems.push_back({.file = "a<b.star", .rendered = "1:1: undefined: x & y"});
  const std::string page = page_of(result);
  EXPECT_THAT(page, HasSubstr("a&lt;b.star<pre>1:1: undefined: x &amp; y"));
  EXPECT_EQ(unpacked_data(page).at("tests").as_array().size(), 0U);
}

TEST_F(Page, WhatIsNoEventIsLeftOut) {
  const std::string torn = sample_event_line(1) + sample_event_line(2) + "{\"number\":3,\"ti";
  const auto events = events_for_page({.log = file("torn.jsonl", torn)});
  EXPECT_EQ(json::parse(events.json).as_array().size(), 2U);
  EXPECT_EQ(events.missing, "");
}

TEST_F(Page, ALogThatCannotBeReadIsSaid) {
  const auto events = events_for_page({.log = folder_ / "nowhere.jsonl"});
  EXPECT_EQ(events.json, "[]");
  EXPECT_THAT(events.missing, HasSubstr("nowhere.jsonl cannot be read"));
  EXPECT_EQ(events_for_page({}).missing, "");
}

TEST_F(Page, TheMiddleOfAHugeLogIsLeftOutButNotItsStoryAndFaults) {
  std::string text;
  for (int number = 1; number <= 2'000; ++number) text += sample_event_line(number);
  const auto events =
      events_for_page({.log = file("huge.jsonl", text), .story = {777}, .events_max = 100});
  const json::value parsed = json::parse(events.json);
  std::vector<std::int64_t> numbers;
  for (const json::value& entry : parsed.as_array()) {
    numbers.push_back(entry.at(0).at("number").to_number<std::int64_t>());
  }
  EXPECT_EQ(numbers.size() + events.left_out, 2'000U);
  EXPECT_EQ(numbers.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  for (const int kept : {1, 25, 203, 603, 777, 1003, 1403, 1803, 1951, 2000}) {
    EXPECT_THAT(numbers, testing::Contains(kept));
  }
}

TEST_F(Page, LongValuesAreCutAndSaySo) {
  model::Event event = {.number = 1, .service = "api", .type = "stdout"};
  event.set("body", std::string(5'000, 'a'));
  event.set("data", model::Json{.text = "[\"" + std::string(5'000, 'b') + "\"]"});
  const auto events = events_for_page({.log = file("long.jsonl", event_to_json(event) + "\n")});
  EXPECT_LT(events.json.size(), 3'500U);
  const json::value fields = json::parse(events.json).at(0).at(0).at("fields");
  EXPECT_TRUE(fields.at("body").as_string().ends_with("… (5000 bytes)"));
  EXPECT_THAT(std::string(fields.at("data").as_string()), HasSubstr("5004 bytes, left out"));
}

TEST(Pack, Base64IsThatOfTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xef\xbe"), "/+++");
}

TEST(Pack, WhatIsPackedComesOutAgain) {
  const std::size_t piece = std::size_t{1} << 20U;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, piece, piece + 1, 2 * piece}) {
    std::string text(size, 'a');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i >> 7U);
    EXPECT_EQ(unpacked(gzipped(text)), text) << size;
  }
}

}  // namespace
}  // namespace misrule::controller
