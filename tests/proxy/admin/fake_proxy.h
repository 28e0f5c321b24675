#pragma once

// A proxy that takes every set of rules and carries nothing.

#include <string>
#include <vector>

#include "proxy/proxy.h"
#include "spec/model/rules.pb.h"

namespace misrule::proxy::testing {

class FakeProxy final : public Proxy {
 public:
  model::RuleSet armed = {};
  std::vector<model::RuleTally> told = {};
  std::vector<ConnectionState> open = {};
  Counters counted = {};
  std::vector<std::string> released = {};

  Result<ListenerId> add_listener(const Listener&) override { return 0; }
  Endpoint listening_at(ListenerId) const override { return {}; }
  Status open_upstream(ListenerId, int*) override { return {}; }
  Status set_rules(const model::RuleSet& rules) override {
    armed = rules;
    return {};
  }
  std::vector<model::RuleTally> tallies() const override { return told; }
  CutReport cut(const std::string&, const std::string&, const std::string&) override { return {}; }
  Result<std::size_t> release(const std::string& rule) override {
    released.push_back(rule);
    return 1;
  }
  Counters counters() const override { return counted; }
  std::vector<ConnectionState> connections(std::size_t count_max) const override {
    auto shown = open;
    shown.resize(std::min(shown.size(), count_max));
    return shown;
  }
  void stop(Duration) override {}
};

class KeptEvents final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override {
    events.push_back(std::move(event));
    return events.size();
  }
  std::vector<model::Event> events = {};
};

}  // namespace misrule::proxy::testing
