#include "controller/report/otlp.h"

#include <filesystem>
#include <map>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "controller/events/event_log.h"
#include "controller/events/utf8.h"
#include "controller/report/trace_spans.h"

namespace misrule::controller {

namespace {

namespace json = boost::json;

/// 64-bit integers are strings in this encoding.
struct AnyValue {
  json::value operator()(std::nullptr_t) const { return json::object(); }
  json::value operator()(bool value) const { return json::object{{"boolValue", value}}; }
  json::value operator()(std::int64_t value) const {
    return json::object{{"intValue", std::to_string(value)}};
  }
  json::value operator()(double value) const { return json::object{{"doubleValue", value}}; }
  json::value operator()(const std::string& value) const {
    return json::object{{"stringValue", value}};
  }
  json::value operator()(const model::Json& value) const {
    return json::object{{"stringValue", value.text}};
  }
};

json::array attributes_value(const TraceAttributes& attributes) {
  json::array out;
  for (const auto& [name, field] : attributes) {
    out.push_back(json::object{{"key", name}, {"value", std::visit(AnyValue{}, field)}});
  }
  return out;
}

/// When the test began, and in which trace.
struct TestTrace {
  std::string id = {};
  std::int64_t began_unix_ns = 0;

  std::string unix_time(std::int64_t ns) const { return std::to_string(began_unix_ns + ns); }
};

json::object span_value(const TraceSpan& span, const TestTrace& test) {
  json::array points;
  for (const TracePoint& point : span.points) {
    points.push_back(json::object{{"timeUnixNano", test.unix_time(point.time_ns)},
                                  {"name", point.name},
                                  {"attributes", attributes_value(point.attributes)}});
  }
  json::array links;
  for (const TraceContext& link : span.links) {
    links.push_back(json::object{{"traceId", link.trace}, {"spanId", link.span}});
  }
  json::object status = {{"code", static_cast<int>(span.status)}};
  if (!span.message.empty()) status["message"] = span.message;
  return {{"traceId", test.id},
          {"spanId", span.id},
          {"parentSpanId", span.parent},
          {"name", span.name},
          {"kind", static_cast<int>(span.kind)},
          {"startTimeUnixNano", test.unix_time(span.begin_ns)},
          {"endTimeUnixNano", test.unix_time(span.end_ns)},
          {"attributes", attributes_value(span.attributes)},
          {"events", std::move(points)},
          {"links", std::move(links)},
          {"status", std::move(status)}};
}

json::object resource_value(const std::string& service, json::array spans,
                            const TraceAttributes& more, std::string_view version) {
  TraceAttributes attributes = more;
  attributes.insert(attributes.begin(), {"service.name", service});
  return {{"resource", json::object{{"attributes", attributes_value(attributes)}}},
          {"scopeSpans", json::array{json::object{
                             {"scope", json::object{{"name", "misrule"}, {"version", version}}},
                             {"spans", std::move(spans)}}}}};
}

}  // namespace

void write_otlp(const RunResult& result, std::string_view version, std::ostream& out) {
  std::map<std::string, json::array> by_service;
  for (const model::TestReport& report : result.reports) {
    const std::string folder = std::filesystem::path(report.event_log).parent_path();
    const TestTrace test = {.id = trace_id_of(folder), .began_unix_ns = report.began_unix_ns};
    std::vector<model::Event> events;
    if (auto log = read_event_log(report.event_log)) events = *std::move(log);
    for (const TraceSpan& span : trace_spans(report, events, test.id)) {
      by_service[span.service].push_back(span_value(span, test));
    }
  }
  const TraceAttributes run = {{"misrule.run", result.plan.run_id},
                               {"misrule.seed", std::to_string(result.plan.seed)}};
  out << R"({"resourceSpans":[)";
  const char* gap = "";
  for (auto& [service, spans] : by_service) {
    const std::string name = service == "test" ? "misrule-test" : service;
    out << gap << as_utf8(json::serialize(resource_value(name, std::move(spans), run, version)));
    gap = ",\n";
  }
  out << "]}\n";
}

}  // namespace misrule::controller
