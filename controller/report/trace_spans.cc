#include "controller/report/trace_spans.h"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "controller/report/sentence.h"
#include "controller/report/text.h"
#include "controller/report/weight.h"

namespace misrule::controller {

namespace {

using model::Event;

constexpr std::size_t kNameColumns = 80;
constexpr std::size_t kPointsMax = 1000;

std::string text_of(const Event& event, std::string_view name) {
  const model::Field* field = event.find(name);
  return field == nullptr ? "" : model::field_text(*field);
}

std::int64_t number_of(const Event& event, std::string_view name) {
  const model::Field* field = event.find(name);
  const auto* number = field == nullptr ? nullptr : std::get_if<std::int64_t>(field);
  return number == nullptr ? 0 : *number;
}

bool is_true(const Event& event, std::string_view name) {
  const model::Field* field = event.find(name);
  const auto* flag = field == nullptr ? nullptr : std::get_if<bool>(field);
  return flag != nullptr && *flag;
}

/// What was asked, without what differs from call to call.
std::string asked_of(const Event& event) {
  const std::string path = text_of(event, "path");
  if (!path.empty()) return text_of(event, "method") + " " + path.substr(0, path.find('?'));
  for (const char* name : {"command", "query", "statement", "operation"}) {
    const std::string text = text_of(event, name);
    if (!text.empty()) return cut_to(printable(text), kNameColumns);
  }
  return event.type;
}

/// Names of OpenTelemetry's semantic conventions where they have one.
TraceAttributes attributes_of(const Event& event) {
  static const std::vector<std::pair<std::string_view, std::string_view>> kNames = {
      {"method", "http.request.method"},
      {"path", "url.path"},
      {"query", "db.query.text"},
      {"command", "db.operation.name"},
      {"to", "server.address"},
      {"interface", "misrule.interface"},
      {"protocol", "network.protocol.name"},
      {"connection", "misrule.connection"},
      {"decision", "misrule.decision"},
      {"rule", "misrule.rule"},
      {"server", "misrule.server"},
      {"code", "db.response.status_code"},
      {"status", "http.response.status_code"}};
  TraceAttributes out;
  for (const auto& [field, name] : kNames) {
    const model::Field* value = event.find(field);
    // Only HTTP has a status; 0 stands for no answer.
    if (value == nullptr || (field == "status" && number_of(event, field) == 0)) continue;
    out.emplace_back(name, *value);
  }
  const std::string protocol = text_of(event, "protocol");
  if (protocol == "postgres") out.emplace_back("db.system.name", std::string("postgresql"));
  if (protocol == "redis") out.emplace_back("db.system.name", std::string("redis"));
  out.emplace_back("misrule.event", static_cast<std::int64_t>(event.number));
  return out;
}

TracePoint fault_point(const Event& event) {
  return {.name = "fault",
          .time_ns = event.source_time_ns,
          .attributes = {{"misrule.rule", text_of(event, "rule")},
                         {"misrule.decision", text_of(event, "decision")},
                         {"misrule.what", sentence_of(event).what}}};
}

class Spans {
 public:
  Spans(const model::TestReport& report, const std::string& trace) : trace_(trace) {
    spans_.push_back(
        {.id = span_id_of(trace, "test", 0),
         .service = "test",
         .name = report.test,
         .kind = TraceSpan::Kind::kInternal,
         .end_ns = report.took.count(),
         .attributes = {{"misrule.verdict", std::string(model::outcome_name(report.outcome))},
                        {"code.file.path", report.spec}}});
    const Weight weight = weight_of(report.outcome, false);
    if (weight == Weight::kGood) spans_[0].status = TraceSpan::Status::kOk;
    if (weight == Weight::kBad || weight == Weight::kError) {
      spans_[0].status = TraceSpan::Status::kError;
      spans_[0].message = reason_of(report);
    }
  }

  void add(const Event& event);
  std::vector<TraceSpan> take() &&;

 private:
  void send(const Event& event);
  void receive(const Event& event);
  void request(const Event& event);
  void point(TracePoint point) {
    if (spans_[0].points.size() < kPointsMax) spans_[0].points.push_back(std::move(point));
  }
  std::string parent_of(const Event& event, std::int64_t begin_ns) const;

  const std::string& trace_;
  std::vector<TraceSpan> spans_ = {};
  std::map<std::uint64_t, std::size_t> steps_ = {};  ///< By the number of their step_send.
  std::map<std::uint64_t, std::size_t> open_ = {};   ///< Of them, without an answer.
  std::vector<std::pair<std::size_t, Event>> requests_ = {};
};

void Spans::send(const Event& event) {
  TraceSpan span = {.id = span_id_of(trace_, "event", event.number),
                    .parent = spans_[0].id,
                    .service = event.service,
                    .name = asked_of(event),
                    .begin_ns = event.source_time_ns,
                    .end_ns = event.source_time_ns,
                    .attributes = attributes_of(event)};
  if (const auto context = parse_traceparent(text_of(event, "traceparent"))) {
    if (context->trace == trace_) {
      span.id = context->span;
    } else {
      span.links.push_back(*context);
    }
  }
  steps_[event.number] = open_[event.number] = spans_.size();
  spans_.push_back(std::move(span));
}

void Spans::receive(const Event& event) {
  for (const std::uint64_t sent : event.after) {
    const auto at = open_.find(sent);
    if (at == open_.end()) continue;
    TraceSpan& span = spans_[at->second];
    span.end_ns = std::max(span.begin_ns, event.source_time_ns);
    span.attributes = attributes_of(event);
    if (!is_true(event, "ok")) {
      span.status = TraceSpan::Status::kError;
      span.message = text_of(event, "error");
    }
    open_.erase(at);
  }
}

/// Told when the reply was complete: its step may have ended in the log before.
void Spans::request(const Event& event) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  const std::int64_t took = std::max<std::int64_t>(0, number_of(event, "duration_ms"));
  TraceSpan span = {.id = span_id_of(trace_, "event", event.number),
                    .service = event.service,
                    .name = asked_of(event),
                    .begin_ns = std::max<std::int64_t>(
                        0, event.source_time_ns -
                               std::min(took, event.source_time_ns / kMillisecond) * kMillisecond),
                    .end_ns = event.source_time_ns,
                    .attributes = attributes_of(event)};
  if (is_true(event, "failed")) {
    span.status = TraceSpan::Status::kError;
    span.message = text_of(event, "reply");
  }
  if (event.find("rule") != nullptr) span.points.push_back(fault_point(event));
  requests_.emplace_back(spans_.size(), event);
  spans_.push_back(std::move(span));
}

void Spans::add(const Event& event) {
  spans_[0].end_ns = std::max(spans_[0].end_ns, event.source_time_ns);
  if (event.type == "step_send") {
    send(event);
  } else if (event.type == "step_recv") {
    receive(event);
  } else if (event.type == "proxy") {
    request(event);
  } else if (event.type == "syscall" && event.find("rule") != nullptr) {
    point(fault_point(event));
  } else if (event.type == "lifecycle") {
    point({.name = fmt::format("{} {}", event.service, text_of(event, "action")),
           .time_ns = event.source_time_ns});
  }
}

/// The one step that was under way, or the one that asked just this; of several the test itself:
/// a wrong parent is worse than a far one.
std::string Spans::parent_of(const Event& event, std::int64_t begin_ns) const {
  constexpr std::int64_t kRounded = 1'000'000;  // Of a duration in whole milliseconds.
  std::vector<const TraceSpan*> around;
  for (const auto& [number, at] : steps_) {
    const TraceSpan& step = spans_[at];
    const bool begun = step.begin_ns <= begin_ns + kRounded;
    if (begun && begin_ns <= step.end_ns && event.source_time_ns >= step.begin_ns) {
      around.push_back(&step);
    }
  }
  if (event.service == "test") {
    const std::string asked = asked_of(event);
    std::erase_if(around, [&asked](const TraceSpan* step) { return step->name != asked; });
  }
  return around.size() == 1 ? around.front()->id : spans_[0].id;
}

std::vector<TraceSpan> Spans::take() && {
  for (const auto& [number, at] : open_) spans_[at].end_ns = spans_[0].end_ns;
  for (const auto& [at, event] : requests_) {
    spans_[at].parent = parent_of(event, spans_[at].begin_ns);
  }
  return std::move(spans_);
}

}  // namespace

std::vector<TraceSpan> trace_spans(const model::TestReport& report,
                                   const std::vector<Event>& events, const std::string& trace) {
  Spans spans(report, trace);
  for (const Event& event : events) spans.add(event);
  return std::move(spans).take();
}

}  // namespace misrule::controller
