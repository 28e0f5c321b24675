#include "controller/run/report_json.h"

#include <boost/json.hpp>

#include "controller/run/world/own_json.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& values) {
  json::array out;
  for (const std::string& value : values) out.emplace_back(value);
  return out;
}

json::object position_json(const model::SourcePosition& position) {
  return {{"file", position.file}, {"line", position.line}, {"column", position.column}};
}

json::object finding_json(const model::Finding& finding) {
  return {{"message", finding.message},
          {"position", position_json(finding.position)},
          {"column_end", finding.column_end},
          {"source_line", finding.source_line},
          {"hint", finding.hint},
          {"detail", texts(finding.detail)}};
}

json::object rule_json(const model::RuleReport& rule) {
  return {{"id", rule.id},
          {"description", rule.description},
          {"position", position_json(rule.position)},
          {"column_end", rule.column_end},
          {"source_line", rule.source_line},
          {"considered", rule.tally.considered},
          {"matched", rule.tally.matched},
          {"fired", rule.tally.fired},
          {"connections_cut", rule.tally.connections_cut},
          {"near_misses", texts(rule.tally.near_misses)},
          {"may_stay_unfired", rule.may_stay_unfired}};
}

json::object control_json(const model::ControlReport& control) {
  return {{"outcome", static_cast<int>(control.outcome)},
          {"took_ns", control.took.count()},
          {"reason", control.reason},
          {"events_total", control.events_total},
          {"event_log", control.event_log}};
}

/// Reads members of an object; what is missing or of another kind is empty.
class Reader {
 public:
  explicit Reader(const json::value& value) : object_(value.if_object()) {}

  std::string text(std::string_view key) const {
    const json::value* value = member(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
  template <class T>
  T number(std::string_view key) const {
    const json::value* value = member(key);
    if (value == nullptr || !value->is_number()) return T{};
    boost::system::error_code error;
    const auto converted = value->to_number<T>(error);
    return error ? T{} : converted;
  }
  bool flag(std::string_view key) const {
    const json::value* value = member(key);
    return value != nullptr && value->is_bool() && value->get_bool();
  }
  const json::value* object(std::string_view key) const {
    const json::value* value = member(key);
    return value != nullptr && value->is_object() ? value : nullptr;
  }
  Result<model::Outcome> outcome() const {
    const int outcome = number<int>("outcome");
    if (outcome < 0 || outcome > static_cast<int>(model::Outcome::kInterrupted)) {
      return fail(Code::kInternal, "a worker's report cannot be read");
    }
    return static_cast<model::Outcome>(outcome);
  }
  const json::array& list(std::string_view key) const {
    static const json::array kNone;
    const json::value* value = member(key);
    return value != nullptr && value->is_array() ? value->get_array() : kNone;
  }
  std::vector<std::string> texts_of(std::string_view key) const {
    std::vector<std::string> out;
    for (const json::value& value : list(key)) {
      if (value.is_string()) out.emplace_back(value.get_string());
    }
    return out;
  }
  model::SourcePosition position() const {
    const json::value* value = member("position");
    if (value == nullptr) return {};
    const Reader reader(*value);
    return {.file = reader.text("file"),
            .line = reader.number<unsigned>("line"),
            .column = reader.number<unsigned>("column")};
  }

 private:
  const json::value* member(std::string_view key) const {
    return object_ == nullptr ? nullptr : object_->if_contains(key);
  }

  const json::object* object_;
};

model::Finding finding_of(const json::value& value) {
  const Reader reader(value);
  return {.message = reader.text("message"),
          .position = reader.position(),
          .column_end = reader.number<unsigned>("column_end"),
          .source_line = reader.text("source_line"),
          .hint = reader.text("hint"),
          .detail = reader.texts_of("detail")};
}

model::RuleReport rule_of(const json::value& value) {
  const Reader reader(value);
  return {.id = reader.text("id"),
          .description = reader.text("description"),
          .position = reader.position(),
          .column_end = reader.number<unsigned>("column_end"),
          .source_line = reader.text("source_line"),
          .tally = {.rule = reader.text("id"),
                    .considered = reader.number<std::uint64_t>("considered"),
                    .matched = reader.number<std::uint64_t>("matched"),
                    .fired = reader.number<std::uint64_t>("fired"),
                    .connections_cut = reader.number<std::uint64_t>("connections_cut"),
                    .near_misses = reader.texts_of("near_misses")},
          .may_stay_unfired = reader.flag("may_stay_unfired")};
}

Result<model::ControlReport> control_of(const json::value& value) {
  const Reader reader(value);
  MISRULE_TRY(const model::Outcome outcome, reader.outcome());
  return model::ControlReport{.outcome = outcome,
                              .took = Duration(reader.number<std::int64_t>("took_ns")),
                              .reason = reader.text("reason"),
                              .events_total = reader.number<std::uint64_t>("events_total"),
                              .event_log = reader.text("event_log")};
}

model::Attachment attachment_of(const json::value& value) {
  const Reader reader(value);
  return {.name = reader.text("name"),
          .file = reader.text("file"),
          .size = reader.number<std::uint64_t>("size")};
}

}  // namespace

std::string report_to_line(const model::TestReport& report) {
  json::object object = {{"test", report.test},
                         {"description", report.description},
                         {"spec", report.spec},
                         {"outcome", static_cast<int>(report.outcome)},
                         {"took_ns", report.took.count()},
                         {"notes", texts(report.notes)},
                         {"events_total", report.events_total},
                         {"event_log", report.event_log}};
  json::array findings;
  for (const model::Finding& finding : report.findings) findings.push_back(finding_json(finding));
  json::array rules;
  for (const model::RuleReport& rule : report.rules) rules.push_back(rule_json(rule));
  json::array story;
  for (const std::uint64_t number : report.story) story.emplace_back(number);
  object["findings"] = std::move(findings);
  object["rules"] = std::move(rules);
  object["story"] = std::move(story);
  json::array attachments;
  for (const model::Attachment& kept : report.attachments) {
    attachments.push_back(
        json::object{{"name", kept.name}, {"file", kept.file}, {"size", kept.size}});
  }
  object["attachments"] = std::move(attachments);
  if (report.control) object["control"] = control_json(*report.control);
  return json::serialize(object);
}

Result<model::TestReport> report_from_line(std::string_view line) {
  MISRULE_TRY(const json::value value, read_own_json(line));
  const Reader reader(value);
  MISRULE_TRY(const model::Outcome outcome, reader.outcome());
  model::TestReport report = {.test = reader.text("test"),
                              .description = reader.text("description"),
                              .spec = reader.text("spec"),
                              .outcome = outcome,
                              .took = Duration(reader.number<std::int64_t>("took_ns")),
                              .notes = reader.texts_of("notes"),
                              .events_total = reader.number<std::uint64_t>("events_total"),
                              .event_log = reader.text("event_log")};
  for (const json::value& item : reader.list("findings")) {
    report.findings.push_back(finding_of(item));
  }
  for (const json::value& item : reader.list("rules")) report.rules.push_back(rule_of(item));
  for (const json::value& item : reader.list("story")) {
    report.story.push_back(item.is_number() ? item.to_number<std::uint64_t>() : 0);
  }
  for (const json::value& item : reader.list("attachments")) {
    report.attachments.push_back(attachment_of(item));
  }
  if (const json::value* control = reader.object("control")) {
    MISRULE_TRY(report.control, control_of(*control));
  }
  return report;
}

}  // namespace misrule::controller
