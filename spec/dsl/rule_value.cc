#include "spec/dsl/rule_value.h"

#include <algorithm>
#include <map>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Value;

std::string_view verb_name(ActionVerb verb) {
  constexpr std::string_view kNames[] = {"deny",    "delay",    "error",   "drop",
                                         "link",    "respond",  "rewrite", "duplicate",
                                         "corrupt", "truncate", "hold"};
  return kNames[static_cast<std::size_t>(verb)];
}

std::string_view first_parameter(ActionVerb verb) {
  if (verb == ActionVerb::kDeny) return "errno";
  if (verb == ActionVerb::kDelay) return "duration";
  return verb == ActionVerb::kLink ? "latency" : "query";
}

void RuleValue::write_repr(star::Writer& out) const {
  out.text(fmt::format("<action {}>", draft_.at ? draft_.at.text() : verb_name(draft_.verb)));
}

std::optional<model::Target> target_of(const Value& value) {
  model::Target target;
  if (const auto* service = value.as<ServiceValue>(); service != nullptr) {
    target.set_service(service->declared().name);
    return target;
  }
  if (const auto* interface = value.as<InterfaceValue>(); interface != nullptr) {
    target.set_service(interface->service());
    target.set_interface(interface->declared().name);
    return target;
  }
  return std::nullopt;
}

const std::vector<std::string>& action_keywords(std::string_view name) {
  using Names = std::vector<std::string>;
  static const auto joined = [](Names own, const Names& more) {
    own.insert(own.end(), more.begin(), more.end());
    return own;
  };
  static const Names kCommon = {"label", "optional", "source",      "times", "nth",
                                "after", "every",    "probability", "per",   "window"};
  static const Names kTraffic = [] {
    Names names = {"query", "path"};
    for (const TrafficWord& word : traffic_words()) names.emplace_back(word.keyword);
    return joined(std::move(names), kCommon);
  }();
  static const std::map<std::string, Names, std::less<>> kByVerb = {
      {"deny", joined({"errno", "path", "fd_kind", "to", "established"}, kCommon)},
      {"delay", joined({"duration", "jitter", "distribution", "side", "fd_kind", "to"}, kTraffic)},
      {"error", joined({"message", "code", "status", "body", "mode", "after_rows"}, kTraffic)},
      {"drop", joined({"mode", "side"}, kTraffic)},
      {"lost_reply", kTraffic},
      {"reset", joined({"side"}, kTraffic)},
      {"close", joined({"side"}, kTraffic)},
      {"hold", joined({"side"}, kTraffic)},
      {"respond", joined({"rows", "tag", "value", "status", "body", "headers"}, kTraffic)},
      {"rewrite", joined({"columns", "body", "headers", "status", "value", "decode"}, kTraffic)},
      {"duplicate", kTraffic},
      {"corrupt", joined({"bytes", "framing", "side"}, kTraffic)},
      {"truncate", joined({"bytes", "side"}, kTraffic)},
      {"throttle", joined({"rate", "direction"}, kCommon)},
      {"link",
       joined({"latency", "jitter", "bandwidth", "slice", "slice_delay", "close_after",
               "reset_after", "slow_close", "blackhole", "half_close", "stall", "direction"},
              kCommon)},
  };
  static const std::vector<std::string> kNone;
  const auto found = kByVerb.find(name);
  return found == kByVerb.end() ? kNone : found->second;
}

}  // namespace misrule::dsl
