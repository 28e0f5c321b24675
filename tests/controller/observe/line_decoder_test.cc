#include "controller/observe/line_decoder.h"

#include <random>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using Kind = model::LineDecoder::Kind;

model::Event decoded(Kind kind, std::string_view line, const std::string& pattern = "") {
  const auto decoder = LineDecoder::make({.kind = kind, .pattern = pattern});
  model::Event event;
  if (decoder) decoder->decode(line, event);
  return event;
}

std::string data_of(const model::Event& event) {
  const model::Field* data = event.find("data");
  return data == nullptr ? "none" : std::get<model::Json>(*data).text;
}

TEST(LineDecoderTest, LogfmtIsKeysAndValues) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"level=info n=3 ok=true took=1.5", R"({"level":"info","n":3,"ok":true,"took":1.5E0})"},
      {R"(msg="a \"b\"\n" flag)", R"({"msg":"a \"b\"\n","flag":true})"},
      {"a= b=2", R"({"a":"","b":2})"},
      {"a=1 a=2", R"({"a":2})"},
      {"id=007 x=1e5 y=+1 z=-4 big=12345678901234567890 t=1.2.3",
       R"({"id":"007","x":"1e5","y":"+1","z":-4,"big":"12345678901234567890","t":"1.2.3"})"},
      {"just words", "none"},
      {"msg=\"unended", "none"},
      {"=x", "none"},
      {"", "none"},
      {"k=é", "{\"k\":\"é\"}"},
      {"k=\xff", "{\"k\":\"\xef\xbf\xbd\"}"},
  };
  for (const auto& [line, data] : cases) {
    EXPECT_EQ(data_of(decoded(Kind::kLogfmt, line)), data) << line;
  }
}

TEST(LineDecoderTest, APatternsGroupsAreFields) {
  const std::string pattern = R"((?P<method>[A-Z]+) (?P<path>\S+)(?: (?P<ms>[0-9]+)ms)?)";
  const model::Event event = decoded(Kind::kRegex, "> GET /x 12ms", pattern);
  EXPECT_EQ(data_of(event), R"({"method":"GET","path":"/x","ms":12})");
  EXPECT_EQ(std::get<std::int64_t>(*event.find("ms")), 12);
  // What the event has already is its own.
  EXPECT_EQ(model::field_text(*event.find("path")), "/x");
  model::Event of_a_file = {.type = "file"};
  of_a_file.set("path", std::string("app.log"));
  LineDecoder().decode(R"({"path":"/x","type":"t","n":1})", of_a_file);
  EXPECT_EQ(model::field_text(*of_a_file.find("path")), "app.log");
  EXPECT_EQ(of_a_file.find("type"), nullptr);
  EXPECT_EQ(of_a_file.fields.size(), 3U);
  EXPECT_EQ(data_of(decoded(Kind::kRegex, "GET /x", pattern)),
            R"({"method":"GET","path":"/x","ms":null})");
  EXPECT_EQ(data_of(decoded(Kind::kRegex, "nothing", pattern)), "none");
  EXPECT_EQ(data_of(decoded(Kind::kRegex, "a\xff", "(?P<c>a.)")), "{\"c\":\"a\xef\xbf\xbd\"}");
  EXPECT_FALSE(LineDecoder::make({.kind = Kind::kRegex, .pattern = "("}).has_value());
}

TEST(LineDecoderTest, ALineIsALine) {
  EXPECT_TRUE(decoded(Kind::kLine, R"({"a":1})").fields.empty());
  EXPECT_EQ(data_of(decoded(Kind::kJson, R"({"a":1})")), R"({"a":1})");
}

TEST(LineDecoderTest, WhatNeverDecodedIsSaid) {
  const auto decoder = LineDecoder::make({.kind = Kind::kLogfmt});
  ASSERT_TRUE(decoder.has_value());
  EXPECT_EQ(decoder->doubt_text(), "");
  model::Event event;
  decoder->decode("words", event);
  EXPECT_EQ(decoder->doubt_text(), "none of 1 line is logfmt");
  decoder->decode("k=v", event);
  EXPECT_EQ(decoder->doubt_text(), "");
  LineDecoder().decode("words", event);
  EXPECT_EQ(LineDecoder().doubt_text(), "");
}

// Whatever a line holds, what comes of it is JSON that can be read again.
TEST(LineDecoderTest, AnyBytesGiveJsonOrNothing) {
  std::mt19937 random(7);
  const std::string alphabet = "ab=\"\\ \t{}[]:,1-.e\xc3\xa9\xff\x01";
  for (int round = 0; round < 20000; ++round) {
    std::string line;
    for (std::size_t left = random() % 24; left > 0; --left) {
      line += alphabet[random() % alphabet.size()];
    }
    for (const Kind kind : {Kind::kJson, Kind::kLogfmt, Kind::kRegex}) {
      const model::Event event = decoded(kind, line, "(?P<k>[^=]*)=(?P<v>.*)");
      boost::system::error_code error;
      const std::string data = data_of(event);
      if (data != "none") boost::json::parse(data, error);
      EXPECT_FALSE(error) << line;
    }
  }
}

}  // namespace
}  // namespace misrule::controller
