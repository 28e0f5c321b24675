#include "proxy/rules/legality.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "proxy/rules/action_legality.h"
#include "proxy/rules/http_legality.h"
#include "proxy/rules/postgres_legality.h"
#include "proxy/rules/redis_legality.h"
#include "proxy/rules/words.h"

namespace misrule::rules {
namespace {

using model::Protocol;
using model::Rule;

std::vector<std::string> service_names(const model::Topology& topology) {
  std::vector<std::string> names;
  names.reserve(topology.services.size());
  for (const model::Service& service : topology.services) names.push_back(service.name);
  return names;
}

struct MatchWords {
  Protocol protocol;
  std::string_view keywords;  // What a rule of this kind says.
};

// The protocol whose words the rule uses; nullptr if it uses none.
const MatchWords* match_words(const Rule& rule) {
  static constexpr MatchWords kPostgres = {Protocol::kPostgres, "query="};
  static constexpr MatchWords kHttp = {Protocol::kHttp, "path= or method="};
  static constexpr MatchWords kRedis = {Protocol::kRedis, "command= or key="};
  static constexpr MatchWords kTcp = {Protocol::kTcp, "a match on whole connections"};
  if (rule.has_postgres()) return &kPostgres;
  if (rule.has_http()) return &kHttp;
  if (rule.has_redis()) return &kRedis;
  if (rule.has_tcp()) return &kTcp;
  return nullptr;
}

std::string_view words_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kPostgres:
      return "where query= says which statements are meant";
    case Protocol::kHttp:
      return "where path= and method= say which requests are meant";
    case Protocol::kRedis:
      return "where command= and key= say which commands are meant";
    default:
      return "where a rule is for whole connections and needs no keyword";
  }
}

// The first keyword of the match that the rule says.
std::string_view match_field(const Rule& rule) {
  if (const model::PostgresMatch& match = rule.postgres(); rule.has_postgres()) {
    if (match.has_query()) return "query";
    if (match.has_user()) return "user";
    if (match.has_database()) return "database";
    if (match.has_application_name()) return "application_name";
    return match.has_in_transaction() ? "in_transaction" : "";
  }
  if (!rule.has_http()) return {};
  if (rule.http().has_path()) return "path";
  return rule.http().has_method() ? "method" : "";
}

bool is_decoded(Protocol protocol) {
  return protocol == Protocol::kPostgres || protocol == Protocol::kHttp ||
         protocol == Protocol::kRedis || protocol == Protocol::kTcp;
}

Status check_protocol(const TargetInterface& target, const Rule& rule) {
  const std::string_view speaks = model::protocol_name(target.protocol);
  if (!rule.has_link() && !is_decoded(target.protocol)) {
    return fail(
        Code::kUnsupported,
        fmt::format("interface '{}' of '{}' speaks {}, which this version does not decode "
                    "yet: rules on traffic are for postgres, http, redis and tcp interfaces; "
                    "rules on system calls (connect=, write=) work for any service",
                    target.interface, target.service, speaks));
  }
  const MatchWords* words = match_words(rule);
  if (words == nullptr || words->protocol == target.protocol) return {};
  return fail(Code::kInvalid,
              fmt::format("{} is for {} interfaces; interface '{}' of '{}' speaks {}, {}",
                          words->keywords, model::protocol_name(words->protocol), target.interface,
                          target.service, speaks, words_of(target.protocol)),
              match_field(rule));
}

// Of a whole service: the interfaces that speak what the rule's keywords belong to.
std::vector<TargetInterface> interfaces_for(const model::Service& service, const Rule& rule) {
  const MatchWords* words = match_words(rule);
  std::vector<TargetInterface> all;
  std::vector<TargetInterface> speaking;
  for (const model::Interface& interface : service.interfaces) {
    all.push_back({service.name, interface.name, interface.protocol});
    if (words == nullptr || words->protocol == interface.protocol) speaking.push_back(all.back());
  }
  return speaking.empty() ? all : speaking;
}

Result<std::vector<TargetInterface>> find_targets(const model::Topology& topology,
                                                  const Rule& rule) {
  if (!rule.has_target() || rule.target().service().empty()) {
    return fail(Code::kInvalid,
                "the rule has no target: name the service or interface whose traffic it is for");
  }
  const std::string& service_name = rule.target().service();
  const model::Service* service = topology.find_service(service_name);
  if (service == nullptr) {
    return fail(Code::kInvalid, fmt::format("there is no service '{}'; declared: {}", service_name,
                                            fmt::join(service_names(topology), ", ")));
  }
  if (rule.target().interface().empty()) {
    std::vector<TargetInterface> targets = interfaces_for(*service, rule);
    if (!targets.empty()) return targets;
    return fail(Code::kInvalid,
                fmt::format("service '{}' has no interface, so no proxy sees its traffic; rules on "
                            "system calls (connect=, write=) do not need one",
                            service_name));
  }
  const model::Interface* interface = service->find_interface(rule.target().interface());
  if (interface == nullptr) {
    std::vector<std::string> names;
    names.reserve(service->interfaces.size());
    for (const model::Interface& known : service->interfaces) names.push_back(known.name);
    return fail(Code::kInvalid,
                fmt::format("service '{}' has no interface '{}'; it has: {}", service_name,
                            rule.target().interface(), fmt::join(names, ", ")));
  }
  return std::vector<TargetInterface>{{service_name, interface->name, interface->protocol}};
}

Status check_trigger(const model::Trigger& trigger) {
  if (trigger.has_nth() && trigger.nth() == 0) {
    return fail(Code::kInvalid, "nth=0 can never fire: matches count from 1", "nth");
  }
  if (trigger.has_times() && trigger.times() == 0) {
    return fail(Code::kInvalid,
                "times=0 can never fire: leave the rule out, or say how often it may", "times");
  }
  if (trigger.has_nth() && trigger.has_after() && trigger.nth() <= trigger.after()) {
    return fail(Code::kInvalid,
                fmt::format("nth={} can never fire: after={} lets the first {} matches pass",
                            trigger.nth(), trigger.after(), trigger.after()),
                "nth");
  }
  if (trigger.has_every() && trigger.every() == 0) {
    return fail(Code::kInvalid, "every=0 can never fire: every=1 is each match", "every");
  }
  if (trigger.has_every() && trigger.has_nth()) {
    return fail(Code::kInvalid, "nth= is one match, every= is many: say one of them", "every");
  }
  const bool known_per = !trigger.has_per() || trigger.per() == "connection" ||
                         trigger.per() == "transaction" || trigger.per() == "key";
  if (!known_per) {
    return fail(Code::kInvalid,
                fmt::format("per=\"{}\" is none of \"connection\", \"transaction\", \"key\"",
                            trigger.per()),
                "per");
  }
  if (trigger.has_window_to_us() && trigger.window_to_us() <= trigger.window_from_us()) {
    return fail(Code::kInvalid, "window= ends before it begins: it is (from, to)", "window");
  }
  const double probability = trigger.probability();
  if (trigger.has_probability() && !(probability > 0.0 && probability <= 1.0)) {
    return fail(Code::kInvalid,
                fmt::format("probability={} is not above 0 and at most 1", probability),
                "probability");
  }
  return {};
}

Status check_match(const Rule& rule) {
  if (rule.has_http()) return check_http_match(rule.http());
  if (rule.has_redis()) return check_redis_match(rule);
  return rule.has_postgres() ? check_postgres_match(rule.postgres()) : Status();
}

}  // namespace

Result<std::vector<TargetInterface>> legalise(const model::Topology& topology, model::Rule& rule) {
  MISRULE_TRY(std::vector<TargetInterface> targets, find_targets(topology, rule));
  for (const TargetInterface& target : targets) MISRULE_TRY_VOID(check_protocol(target, rule));
  MISRULE_TRY_VOID(check_trigger(rule.trigger()));
  MISRULE_TRY_VOID(check_match(rule));
  for (const TargetInterface& target : targets) {
    MISRULE_TRY_VOID(legalise_action(target.protocol, rule));
  }
  return targets;
}

Status check_source(const model::Topology& topology, const model::Rule& rule) {
  const std::string& source = rule.source();
  if (!rule.has_source() || source == "test" || topology.find_service(source) != nullptr) return {};
  return fail(Code::kInvalid,
              fmt::format("source=\"{}\" is no service; declared: {}; \"test\" is the test itself",
                          source, fmt::join(service_names(topology), ", ")),
              "source");
}

}  // namespace misrule::rules
