#include "proxy/admin/answers.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <google/protobuf/util/json_util.h>

#include "base/nearest.h"
#include "proxy/admin/metrics.h"

namespace misrule::proxy {

namespace {

namespace json = boost::json;

constexpr std::size_t kConnectionsShown = 100;
constexpr std::size_t kConnectionsMax = 1000;

AdminAnswer json_answer(const json::value& value, unsigned status = 200) {
  return {.status = status, .body = json::serialize(value) + "\n"};
}

std::string etag_of(std::uint64_t version) { return fmt::format("\"{}\"", version); }

std::string_view path_of(const AdminRequest& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

/// "a b" of "?rule=a%20b"; empty if it is not there.
std::string query_text(const AdminRequest& request, std::string_view name) {
  const auto target = boost::urls::parse_origin_form(request.target);
  if (!target) return {};
  const auto params = target->params();
  const auto found = params.find(name);
  return found == params.end() ? std::string() : std::string((*found).value);
}

/// "limit" of "?limit=5"; nothing if it is not there or no number.
std::optional<std::size_t> query_number(const AdminRequest& request, std::string_view name) {
  const std::string digits = query_text(request, name);
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole ? std::optional(value) : std::nullopt;
}

json::array skipped_json(const RulesInForce& rules) {
  json::array skipped;
  for (const SkippedRule& one : rules.skipped) {
    skipped.push_back({{"rule", one.rule}, {"why", one.why}});
  }
  return skipped;
}

std::string rule_json(const model::Rule& rule) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto printed = google::protobuf::util::MessageToJsonString(rule, &text, options);
  return printed.ok() ? text : "null";
}

json::value tally_json(const model::RuleTally& tally, bool armed) {
  json::array misses(tally.near_misses.begin(), tally.near_misses.end());
  return {{"rule", tally.rule},       {"armed", armed},       {"considered", tally.considered},
          {"matched", tally.matched}, {"fired", tally.fired}, {"near_misses", std::move(misses)}};
}

json::value connection_json(const ConnectionState& state) {
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(state.age);
  return {{"connection", state.name},
          {"service", state.service},
          {"interface", state.interface},
          {"client", state.client},
          {"protocol", state.protocol},
          {"state", state.state},
          {"held", state.held},
          {"age_ms", age.count()},
          {"bytes_to_server", state.bytes_to_server},
          {"bytes_to_client", state.bytes_to_client}};
}

/// "3", W/"3" or 3. Nothing for "*", which every version is.
Result<std::optional<std::uint64_t>> version_wanted(std::string_view if_match) {
  if (if_match.empty() || if_match == "*") return std::nullopt;
  std::string_view digits = if_match;
  if (digits.starts_with("W/")) digits.remove_prefix(2);
  if (digits.size() >= 2 && digits.starts_with('"') && digits.ends_with('"')) {
    digits = digits.substr(1, digits.size() - 2);
  }
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error == std::errc() && end == digits.data() + digits.size()) return version;
  return fail(Code::kInvalid, fmt::format("If-Match: {} is no version, such as \"3\"", if_match));
}

}  // namespace

AdminAnswer error_answer(unsigned status, std::string_view text) {
  return json_answer({{"error", text}}, status);
}

AdminAnswers::AdminAnswers(const AdminSubject& subject)
    : subject_(subject),
      started_(std::chrono::steady_clock::now()),
      interrupted_(started_),
      metrics_(std::make_unique<Metrics>()) {}
AdminAnswers::~AdminAnswers() = default;

const std::map<std::string_view, std::map<std::string_view, AdminAnswers::Way>>&
AdminAnswers::ways() {
  using Self = AdminAnswers;
  static const std::map<std::string_view, std::map<std::string_view, Way>> kWays = {
      {"/", {{"GET", &Self::index}}},
      {"/health", {{"GET", &Self::health}}},
      {"/version", {{"GET", &Self::version}}},
      {"/rules", {{"GET", &Self::read_rules}, {"PUT", &Self::write_rules}}},
      {"/rules/stats", {{"GET", &Self::rule_stats}}},
      {"/rules/release", {{"POST", &Self::release}}},
      {"/connections", {{"GET", &Self::connections}}},
      {"/events", {{"GET", &Self::index}}},  // A stream: whoever has the socket answers it.
      {"/metrics", {{"GET", &Self::metrics}}},
  };
  return kWays;
}

AdminAnswer AdminAnswers::answer(const AdminRequest& request) {
  AdminAnswer answer = route(request);
  count(answer.status);
  return answer;
}

void AdminAnswers::count(unsigned status) { metrics_->count_request(status); }

AdminAnswer AdminAnswers::route(const AdminRequest& request) {
  const std::string_view path = path_of(request);
  const auto way = ways().find(path);
  if (way == ways().end()) {
    std::vector<std::string_view> known;
    for (const auto& [name, methods] : ways()) known.push_back(name);
    return error_answer(404, fmt::format("there is no {}{}; there are: {}", path,
                                         did_you_mean(path, known), fmt::join(known, " ")));
  }
  const bool head = request.method == "HEAD";
  const auto method = way->second.find(head ? "GET" : std::string_view(request.method));
  if (method != way->second.end()) return (this->*method->second)(request);
  std::vector<std::string_view> allowed;
  for (const auto& [name, unused] : way->second) allowed.push_back(name);
  AdminAnswer answer = error_answer(
      405, fmt::format("{} takes {}, not {}", path, fmt::join(allowed, " and "), request.method));
  answer.allow = fmt::format("{}", fmt::join(allowed, ", "));
  return answer;
}

AdminAnswer AdminAnswers::index(const AdminRequest&) {
  json::array paths;
  for (const auto& [name, methods] : ways()) paths.emplace_back(name);
  return json_answer({{"paths", std::move(paths)}});
}

AdminAnswer AdminAnswers::health(const AdminRequest&) {
  const bool draining = subject_.draining.load();
  const auto up = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started_);
  json::object body{{"status", draining ? "draining" : "ok"},
                    {"uptime_ms", up.count()},
                    {"rules_version", subject_.rules.in_force().version}};
  if (const std::string refusal = subject_.rules.last_refusal(); !refusal.empty()) {
    body["rules_refused"] = refusal;
  }
  return json_answer(body, draining ? 503 : 200);
}

AdminAnswer AdminAnswers::version(const AdminRequest&) {
  return json_answer({{"program", "misrule"}, {"version", MISRULE_VERSION}, {"api", 1}});
}

AdminAnswer AdminAnswers::read_rules(const AdminRequest&) {
  const RulesInForce rules = subject_.rules.in_force();
  std::vector<std::string> texts;
  for (const model::Rule& rule : rules.rules->rules()) texts.push_back(rule_json(rule));
  return {.body = fmt::format("{{\"version\":{},\"rules\":[{}]}}\n", rules.version,
                              fmt::join(texts, ",")),
          .etag = etag_of(rules.version)};
}

AdminAnswer AdminAnswers::write_rules(const AdminRequest& request) {
  const auto wanted = version_wanted(request.if_match);
  if (!wanted) return error_answer(400, wanted.error().what);
  const auto taken = subject_.rules.replace(request.body, "request body", *wanted);
  if (!taken) {
    return error_answer(taken.error().code == Code::kRefused ? 412 : 400, taken.error().what);
  }
  AdminAnswer answer = json_answer({{"version", taken->version},
                                    {"rules", taken->rules->rules_size()},
                                    {"skipped", skipped_json(*taken)}});
  answer.etag = etag_of(taken->version);
  return answer;
}

AdminAnswer AdminAnswers::rule_stats(const AdminRequest&) {
  const RulesInForce rules = subject_.rules.in_force();
  std::set<std::string_view> armed;
  for (const model::Rule& rule : rules.rules->rules()) armed.insert(rule.id());
  json::array tallies;
  for (const model::RuleTally& tally : subject_.proxy.tallies()) {
    tallies.push_back(tally_json(tally, armed.contains(tally.rule)));
  }
  return json_answer({{"version", rules.version},
                      {"from", rules.from},
                      {"rules", std::move(tallies)},
                      {"skipped", skipped_json(rules)}});
}

AdminAnswer AdminAnswers::release(const AdminRequest& request) {
  const std::string rule = query_text(request, "rule");
  if (rule.empty()) {
    return error_answer(400, "which rule? such as POST /rules/release?rule=slow-payments");
  }
  const auto released = subject_.proxy.release(rule);
  if (!released) return error_answer(404, released.error().what);
  return json_answer({{"rule", rule}, {"released", *released}});
}

bool AdminAnswers::may_interrupt() {
  const TimePoint now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> since = now - std::exchange(interrupted_, now);
  interruptions_left_ =
      std::min(kInterruptionsMax, interruptions_left_ + since.count() * kInterruptionsPerSecond);
  if (interruptions_left_ < 1) return false;
  interruptions_left_ -= 1;
  return true;
}

AdminAnswer AdminAnswers::connections(const AdminRequest& request) {
  if (!may_interrupt()) {
    return error_answer(429, "asked too often: the loops have traffic to carry");
  }
  const std::size_t limit =
      std::min(query_number(request, "limit").value_or(kConnectionsShown), kConnectionsMax);
  json::array shown;
  for (const ConnectionState& state : subject_.proxy.connections(limit)) {
    shown.push_back(connection_json(state));
  }
  return json_answer(
      {{"open", subject_.proxy.counters().connections_open}, {"connections", std::move(shown)}});
}

AdminAnswer AdminAnswers::metrics(const AdminRequest&) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = metrics_->text(subject_)};
}

}  // namespace misrule::proxy
