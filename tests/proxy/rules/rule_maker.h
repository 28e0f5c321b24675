#pragma once

// Rules and topologies for tests, in one line each.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/facts.h"
#include "proxy/rules/rule_set.h"
#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"

namespace misrule::rules {

/// db.pg (postgres), api.http (http), relay.raw (tcp), cache.main (redis), log.main (kafka),
/// worker without interface.
model::Topology shop_topology();

/// error(query=, code="40001") on db.pg.
model::Rule postgres_error(std::string_view id, std::string_view query);
/// error(path=, status=503) on api.http.
model::Rule http_error(std::string_view id, std::string_view path);

codecs::Facts statement(std::string_view sql);
codecs::Facts request(std::string_view method, std::string_view path);

/// A book with one set in force and a connection of `consumer` to db.pg and one to api.http.
class Bench {
 public:
  explicit Bench(std::vector<model::Rule> rules, std::string_view consumer = "api");

  /// Fails the test if the rules are refused.
  void arm(std::vector<model::Rule> rules);
  /// The id of the rule that acts, empty if none.
  std::string decide(const codecs::Facts& facts);
  Decision decide_fully(const codecs::Facts& facts);
  std::shared_ptr<const RuleSet> set() const { return set_; }
  RuleBook& book() { return book_; }
  model::RuleTally tally(std::string_view id) const;

 private:
  RuleBook book_{1};
  std::shared_ptr<const RuleSet> set_;
  std::string consumer_;
  Actor actor_;
};

}  // namespace misrule::rules
