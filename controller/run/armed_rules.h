#pragma once

// The rules that are active now, in the proxy and the interceptor at once, and all that ever were.

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "interceptor/interceptor.h"
#include "proxy/proxy.h"
#include "spec/dsl/host.h"
#include "spec/model/event.h"
#include "spec/model/rules.pb.h"
#include "spec/model/verdict.h"

namespace misrule::controller {

/// Says a rule in one sentence, for reports.
using DescribeRule = std::string (*)(const model::Rule&);

/// Thread-safe.
class ArmedRules {
 public:
  struct Parts {
    const model::Topology& topology;
    proxy::Proxy& proxy;
    interceptor::Supervisor& supervisor;
    model::EventSink& sink;
    DescribeRule describe = nullptr;
  };
  explicit ArmedRules(const Parts& parts) : parts_(parts) {}

  /// In front of those armed already. On an error nothing has changed. Cuts what a refused connect
  /// must not find open.
  Result<dsl::ArmId> arm(const std::vector<model::Rule>& rules);
  Status disarm(dsl::ArmId armed);
  Status disarm_all();
  /// Lets go what the armed rules with this label or id hold now; how many units.
  Result<std::size_t> release(const std::string& label);

  /// Every rule ever armed, in order, with what became of it.
  std::vector<model::RuleReport> reports() const;

  /// The rule that explains what `service` did: it has acted, and the service is its target or its
  /// source.
  std::string explains(const std::string& service) const;
  /// An armed rule that may still fire holds the service down.
  bool is_under_fault(const std::string& service) const;

 private:
  struct Batch {
    dsl::ArmId id = 0;
    std::vector<model::Rule> rules = {};
  };

  Status apply(const std::vector<Batch>& batches);
  Status end_batches(std::vector<Batch> kept);
  void cut_connections(const std::vector<model::Rule>& rules);
  std::size_t cut_for(const model::Rule& rule);
  /// What is open already falls silent, too.
  void tell_stalled(const std::vector<model::Rule>& rules);
  std::string description_of(const model::Rule& rule) const;
  void emit(std::string_view action, const model::Rule& rule, const std::string& detail);
  std::map<std::string, model::RuleTally> tallies() const;

  Parts parts_;
  mutable std::mutex mutex_ = {};
  std::vector<Batch> batches_ = {};  ///< Innermost first.
  std::vector<model::Rule> ever_ = {};
  std::map<std::string, std::uint64_t> cut_ = {};  ///< Connections, by the id of the rule.
  dsl::ArmId next_ = 1;
};

}  // namespace misrule::controller
