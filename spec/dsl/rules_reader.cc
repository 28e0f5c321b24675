#include "spec/dsl/rules_reader.h"

#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Span;
using star::Value;

void RulesReader::take_target(const Value& value, Span at, std::string_view place) {
  const auto target = target_of(value);
  if (!target) {
    args_.fail_at(at, star::code::kArgument,
                  fmt::format("{} is a service or an interface{}", place,
                              value.is_unbound() ? std::string()
                                                 : fmt::format(", not a {}", value.type_name())));
  }
  use_.target = *target;
}

void RulesReader::take_keyword(std::size_t index) {
  const std::string name(args_.keyword_name(index));
  const Value& value = args_.keyword(index);
  const Span at = args_.keyword_value_span(index);
  if (session_.is_family(name)) {
    take_rules(value, name, at);
  } else if (name == "rules") {
    if (value.as_list() == nullptr && value.as_tuple() == nullptr) {
      args_.fail_at(at, star::code::kArgument, "rules= is a list");
    }
    take_rules(value, "", at);
  } else if (name == "source") {
    use_.source = service_name_of(value);
    use_.source_at = args_.keyword_span(index);
    if (!use_.source) {
      args_.fail_at(at, star::code::kArgument, "source= is a service or \"test\"");
    }
  } else if (name == "label") {
    label_ = text_of(index);
  } else if (name == "description") {
    description_ = text_of(index);
  } else if (name == "to") {
    use_.to = target_of(value);
    if (!use_.to) args_.fail_at(at, star::code::kArgument, "to= is a service or an interface");
  } else {
    refuse_keyword(index);
  }
}

std::string RulesReader::text_of(std::size_t index) const {
  const auto text = args_.keyword(index).as_string();
  if (text) return std::string(*text);
  args_.fail_at(args_.keyword_value_span(index), star::code::kArgument,
                fmt::format("{}= is text, not a {}", args_.keyword_name(index),
                            args_.keyword(index).type_name()));
}

void RulesReader::refuse_keyword(std::size_t index) const {
  const std::string_view name = args_.keyword_name(index);
  std::vector<std::string> others = {"rules"};
  others.insert(others.end(), own_.begin(), own_.end());
  others.insert(others.end(), {"source", "to", "label", "description"});
  std::vector<std::string> known = session_.options.syscall_families;
  known.insert(known.end(), others.begin(), others.end());
  args_.fail_at(
      args_.keyword_span(index), star::code::kArgument,
      fmt::format("unexpected keyword argument \"{}\"{}", name, did_you_mean(name, known)),
      "system calls: " + listed(session_.options.syscall_families) + "; and " + listed(others));
}

void RulesReader::take_rules(const Value& value, const std::string& family, Span at) {
  if (value.as_list() != nullptr || value.as_tuple() != nullptr) {
    for (const Value& item : value.elements()) take_rules(item, family, at);
    return;
  }
  const auto* rule = value.as<RuleValue>();
  if (rule == nullptr) {
    args_.fail_at(at, star::code::kArgument,
                  fmt::format("got {}, want {}", value.type_name(),
                              family.empty() ? "error(...), delay(...) or drop(...)"
                                             : "deny(...) or delay(...)"));
  }
  used_.push_back({rule, family, at});
}

void RulesReader::require_rules() const {
  if (has_rules()) return;
  args_.fail_at(args_.call_span(), star::code::kArgument, "no rule is given",
                "such as write=deny(\"EIO\"), or error(query=\"INSERT*\")");
}

std::vector<model::Rule> RulesReader::rules() const {
  std::vector<model::Rule> rules;
  rules.reserve(used_.size());
  for (const UsedRule& used : used_) {
    RuleUse use = use_;
    use.family = used.family;
    auto rule = assemble_rule(session_, used.value->draft(), use);
    if (!rule) {
      star::Complaint complaint = rule_complaint(rule.error(), used.value->draft(), use, used.at);
      complaint.message = fmt::format("{}: {}", args_.name(), rule.error().what);
      star::raise(std::move(complaint));
    }
    if (!label_.empty() && !rule->has_label()) rule->set_label(label_);
    if (!description_.empty()) rule->set_description(description_);
    rules.push_back(*std::move(rule));
  }
  return rules;
}

std::string fresh_id(RunState& run, const model::Rule& rule) {
  ++run.rules_made;
  if (!rule.has_label()) return fmt::format("{}/{}", run.name, run.rules_made);
  std::string id = rule.label();
  for (unsigned n = 2; !run.labels.insert(id).second; ++n) {
    id = fmt::format("{}#{}", rule.label(), n);
  }
  return id;
}

}  // namespace misrule::dsl
