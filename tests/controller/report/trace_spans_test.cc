#include "controller/report/trace_spans.h"

#include <gtest/gtest.h>

namespace misrule::controller {
namespace {

using model::Event;

constexpr std::int64_t kMs = 1'000'000;
constexpr const char* kTrace = "0123456789abcdef0123456789abcdef";

struct At {
  std::uint64_t number = 0;
  std::int64_t ms = 0;
};

Event step(At at, const char* type, const char* path) {
  Event event = {.number = at.number,
                 .time_ns = at.ms * kMs,
                 .source_time_ns = at.ms * kMs,
                 .service = "test",
                 .type = type};
  event.set("to", std::string("api")).set("protocol", std::string("http"));
  event.set("method", std::string("GET")).set("path", std::string(path));
  return event;
}

Event answer(At at, const char* path, std::uint64_t sent, std::int64_t status) {
  Event event = step(at, "step_recv", path);
  event.after = {sent};
  event.set("status", status).set("ok", status < 400);
  return event;
}

Event request(At at, const char* from, std::int64_t took_ms) {
  Event event = {
      .number = at.number, .source_time_ns = at.ms * kMs, .service = from, .type = "proxy"};
  event.set("query", std::string("SELECT 1")).set("duration_ms", took_ms);
  return event;
}

std::vector<TraceSpan> spans_of(const std::vector<Event>& events) {
  const model::TestReport report = {
      .test = "test_a", .outcome = model::Outcome::kPassed, .took = Duration(50 * kMs)};
  return trace_spans(report, events, kTrace);
}

TEST(TraceSpans, AStepLastsUntilItsAnswer) {
  const auto spans = spans_of({step({1, 10}, "step_send", "/a"), answer({2, 30}, "/a", 1, 503)});
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name, "test_a");
  EXPECT_EQ(spans[0].status, TraceSpan::Status::kOk);
  EXPECT_EQ(spans[1].name, "GET /a");
  EXPECT_EQ(spans[1].parent, spans[0].id);
  EXPECT_EQ(spans[1].begin_ns, 10 * kMs);
  EXPECT_EQ(spans[1].end_ns, 30 * kMs);
  EXPECT_EQ(spans[1].status, TraceSpan::Status::kError);
}

TEST(TraceSpans, WithoutAnAnswerItLastsToTheEnd) {
  EXPECT_EQ(spans_of({step({1, 10}, "step_send", "/a")})[1].end_ns, 50 * kMs);
}

TEST(TraceSpans, ARequestBelongsToTheOneStepThatWasUnderWay) {
  const auto spans = spans_of({step({1, 10}, "step_send", "/a"), request({2, 20}, "api", 5),
                               answer({3, 30}, "/a", 1, 200), request({4, 45}, "api", 5)});
  ASSERT_EQ(spans.size(), 4U);
  EXPECT_EQ(spans[2].parent, spans[1].id);
  EXPECT_EQ(spans[2].begin_ns, 15 * kMs);
  EXPECT_EQ(spans[3].parent, spans[0].id) << "no step was under way";
}

TEST(TraceSpans, OfTwoStepsNeitherIsGuessed) {
  const auto spans = spans_of({step({1, 10}, "step_send", "/a"), step({2, 11}, "step_send", "/b"),
                               request({3, 20}, "api", 5), answer({4, 30}, "/a", 1, 200),
                               answer({5, 30}, "/b", 2, 200)});
  EXPECT_EQ(spans[3].parent, spans[0].id);
}

TEST(TraceSpans, TheHeaderThatWasSentNamesTheSpan) {
  Event ours = step({1, 10}, "step_send", "/a");
  ours.set("traceparent", traceparent_of({.trace = kTrace, .span = "00000000000000aa"}));
  Event own = step({2, 20}, "step_send", "/b");
  const TraceContext foreign = {.trace = "ffffffffffffffffffffffffffffffff",
                                .span = "00000000000000bb"};
  own.set("traceparent", traceparent_of(foreign));
  const auto spans = spans_of({ours, answer({3, 12}, "/a", 1, 200), own});
  EXPECT_EQ(spans[1].id, "00000000000000aa");
  EXPECT_TRUE(spans[1].links.empty());
  ASSERT_EQ(spans[2].links.size(), 1U);
  EXPECT_EQ(spans[2].links[0].span, foreign.span);
  EXPECT_NE(spans[2].id, foreign.span);
}

TEST(TraceContext, OnlyWhatIsOneIsRead) {
  const std::string sound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  ASSERT_TRUE(parse_traceparent(sound));
  EXPECT_EQ(traceparent_of(*parse_traceparent(sound)), sound);
  EXPECT_TRUE(parse_traceparent("01" + sound.substr(2) + "-more"));
  for (const char* wrong : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c+b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011"}) {
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
  }
}

TEST(TraceContext, IdsDifferAndRepeat) {
  const std::string trace = trace_id_of("/runs/1/spec.test_a");
  EXPECT_EQ(trace.size(), 32U);
  EXPECT_EQ(trace, trace_id_of("/runs/1/spec.test_a"));
  EXPECT_NE(trace, trace_id_of("/runs/2/spec.test_a"));
  EXPECT_NE(span_id_of(trace, "step", 1), span_id_of(trace, "step", 2));
  EXPECT_NE(span_id_of(trace, "step", 1), span_id_of(trace, "event", 1));
}

}  // namespace
}  // namespace misrule::controller
