#include "codecs/http/json_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

std::string found(std::string_view document, std::string_view path) {
  const auto spans = find_json(document, *parse_json_path(path));
  if (!spans) return "no JSON";
  std::string all;
  for (const auto& [begin, end] : *spans)
    all += std::string(document.substr(begin, end - begin)) + ";";
  return all;
}

TEST(JsonScan, findsWhatAPathNames) {
  const std::string_view document =
      R"( {"a": [1, {"b": "x\"}", "c\u0061": -1.5e3}, [true, null]], "a b": {}} )";
  EXPECT_EQ(found(document, "$.a[0]"), "1;");
  EXPECT_EQ(found(document, "$.a[1].b"), R"("x\"}";)");
  EXPECT_EQ(found(document, "$.a[1].ca"), "-1.5e3;");
  EXPECT_EQ(found(document, "$.a[2][*]"), "true;null;");
  EXPECT_EQ(found(document, "$['a b']"), "{};");
  EXPECT_EQ(found(document, "$.a[9]"), "");
  EXPECT_EQ(found(document, "$.a.b"), "");
  EXPECT_EQ(found("7", "$"), "7;");
}

TEST(JsonScan, whatIsNoDocumentIsSaid) {
  for (const auto* text : {"", "{", "{\"a\":}", "[1,]", "[1 2]", "{\"a\" 1}", "nul", "1x", "\"a",
                           "{} {}", "\"a\nb\"", "'a'", "[1", "\"\\"}) {
    EXPECT_EQ(found(text, "$"), "no JSON") << text;
  }
  EXPECT_EQ(found(std::string(100'000, '['), "$"), "no JSON");
}

}  // namespace
}  // namespace misrule::codecs::http
