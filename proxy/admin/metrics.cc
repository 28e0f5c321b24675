#include "proxy/admin/metrics.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "proxy/admin/answers.h"

namespace misrule::proxy {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// A series per rule is for rules that people write, not for thousands that a program made.
constexpr std::size_t kRulesShown = 1000;

/// Families of values that others count: they are read when somebody asks.
class Snapshot {
 public:
  Snapshot& counter(const std::string& name, const std::string& help) {
    return begin(name, help, MetricType::Counter);
  }
  Snapshot& gauge(const std::string& name, const std::string& help) {
    return begin(name, help, MetricType::Gauge);
  }
  Snapshot& add(std::uint64_t value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    const auto number = static_cast<double>(value);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = number;
    } else {
      metric.gauge.value = number;
    }
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }
  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  Snapshot& begin(const std::string& name, const std::string& help, MetricType type) {
    MetricFamily family;
    family.name = "misrule_proxy_" + name;
    family.help = help;
    family.type = type;
    families_.push_back(std::move(family));
    return *this;
  }

  std::vector<MetricFamily> families_;
};

void add_traffic(Snapshot& snapshot, const Counters& counters) {
  snapshot.counter("connections_total", "Connections accepted.").add(counters.connections_total);
  snapshot.gauge("connections_open", "Connections that stand.").add(counters.connections_open);
  snapshot.counter("connections_opaque_total", "Connections that could not be decoded any more.")
      .add(counters.connections_opaque);
  snapshot.counter("messages_total", "Statements and requests decided.")
      .add(counters.messages_total);
  snapshot.counter("bytes_total", "Bytes forwarded.")
      .add(counters.bytes_to_server, {{"direction", "to_server"}})
      .add(counters.bytes_to_client, {{"direction", "to_client"}});
}

void add_rules(Snapshot& snapshot, const AdminSubject& subject) {
  const RulesInForce rules = subject.rules.in_force();
  const std::vector<model::RuleTally> tallies = subject.proxy.tallies();
  const std::size_t shown = std::min(tallies.size(), kRulesShown);
  snapshot.gauge("rules_version", "The rule set that every loop has taken up.").add(rules.version);
  snapshot.gauge("rules_armed", "Rules in force.")
      .add(static_cast<std::uint64_t>(rules.rules->rules_size()));
  snapshot.gauge("rules_without_series", "Rules beyond those that have series of their own.")
      .add(tallies.size() - shown);
  const auto series = [&](const char* name, const char* help,
                          std::uint64_t model::RuleTally::* count) {
    snapshot.counter(name, help);
    for (std::size_t i = 0; i < shown; ++i) {
      snapshot.add(tallies[i].*count, {{"rule", tallies[i].rule}});
    }
  };
  series("rule_considered_total", "Units of the rule's protocol on its target.",
         &model::RuleTally::considered);
  series("rule_matched_total", "Of these, those that its match wants.", &model::RuleTally::matched);
  series("rule_fired_total", "Of these, those that it acted on.", &model::RuleTally::fired);
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_unique<prometheus::Registry>()),
      requests_(prometheus::BuildCounter()
                    .Name("misrule_proxy_admin_requests_total")
                    .Help("Requests to the admin API.")
                    .Register(*registry_)) {}
Metrics::~Metrics() = default;

void Metrics::count_request(unsigned status) {
  requests_.Add({{"status", fmt::format("{}", status)}}).Increment();
}

std::string Metrics::text(const AdminSubject& subject) const {
  Snapshot snapshot;
  snapshot.gauge("build_info", "The version that runs.").add(1, {{"version", MISRULE_VERSION}});
  snapshot.gauge("draining", "1 while it waits for its last connections.")
      .add(subject.draining.load() ? 1 : 0);
  add_traffic(snapshot, subject.proxy.counters());
  add_rules(snapshot, subject);
  snapshot.gauge("event_readers", "Followers of /events.").add(subject.events.readers());
  snapshot.counter("events_left_out_total", "Events that a follower was too slow for.")
      .add(subject.events.left_out());
  std::vector<MetricFamily> families = snapshot.take();
  for (MetricFamily& family : registry_->Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace misrule::proxy
