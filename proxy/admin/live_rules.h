#pragma once

// Which rules are in force, who said so, and what became of those that could not be armed.
//
// Rules come as text, from a file or over the admin API; a set is taken as a whole or refused as a
// whole, with the line that is wrong. Thread-safe.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/proxy.h"
#include "spec/model/rules.pb.h"
#include "spec/model/yaml/rule_text.h"

namespace misrule::proxy {

/// A rule of the text that this proxy cannot arm, and why.
struct SkippedRule {
  std::string rule = {};
  std::string why = {};
};

struct RulesInForce {
  std::uint64_t version = 0;  ///< Counts the sets; every loop has taken this one up.
  std::shared_ptr<const model::RuleSet> rules = std::make_shared<model::RuleSet>();
  std::vector<SkippedRule> skipped = {};
  std::string from = {};  ///< A file's name, or "admin".
};

class LiveRules {
 public:
  /// All must outlive it. What was taken and refused is told as events and in the log.
  LiveRules(Proxy& proxy, const std::vector<Listener>& listeners, model::EventSink& sink)
      : proxy_(proxy), listeners_(listeners), sink_(sink) {}
  LiveRules(const LiveRules&) = delete;
  LiveRules& operator=(const LiveRules&) = delete;

  /// `name` is told with mistakes. Fails with kRefused, changing nothing, if `if_version` is given
  /// and is not the version in force.
  Result<RulesInForce> replace(std::string_view text, const std::string& name,
                               std::optional<std::uint64_t> if_version);
  RulesInForce in_force() const;
  /// What refused a set of rules last, after which none was taken; empty if none.
  std::string last_refusal() const;

 private:
  struct Prepared {
    model::RuleSet rules = {};
    std::vector<SkippedRule> skipped = {};
  };
  Result<Prepared> prepare(std::string_view text, const std::string& name) const;
  std::string why_not_here(const model::Rule& rule, bool of_whole_spec) const;
  Status fit(model::Rule& rule) const;
  Status check(const model::Rule& rule) const;
  model::Topology topology() const;

  Result<RulesInForce> take(std::string_view text, const std::string& name,
                            std::optional<std::uint64_t> if_version);

  Proxy& proxy_;
  const std::vector<Listener>& listeners_;
  model::EventSink& sink_;
  mutable std::mutex mutex_;  // Guards what follows; one change at a time.
  RulesInForce in_force_;
  std::string last_refusal_;
};

}  // namespace misrule::proxy
