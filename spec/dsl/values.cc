#include "spec/dsl/values.h"

#include <algorithm>

namespace misrule::dsl {

using star::Symbol;
using star::Value;

void InterfaceDeclaration::write_repr(star::Writer& out) const {
  out.text(fmt::format("interface(\"{}\", \"{}\", {})", declared_.name,
                       model::protocol_name(declared_.protocol), declared_.port));
}

void InterfaceValue::write_repr(star::Writer& out) const {
  out.text(fmt::format("<interface {}.{}>", service_, declared_.name));
}

std::uint64_t InterfaceValue::hash() const {
  return Value::string(service_ + "." + declared_.name).hash();
}

std::optional<bool> InterfaceValue::equals(const Value& other) const {
  const auto* same = other.as<InterfaceValue>();
  return same != nullptr && same->service_ == service_ && same->declared_.name == declared_.name;
}

std::optional<Value> InterfaceValue::dynamic_attribute(Symbol name) {
  const std::string_view text = name.text();
  // Both addresses are the declared one: connections to it pass the proxy by themselves.
  if (text == "internal_addr" || text == "proxy_addr") {
    return Value::string(fmt::format("localhost:{}", declared_.port));
  }
  if (text == "name") return Value::string(declared_.name);
  if (text == "port") return Value::integer(declared_.port);
  if (text == "protocol") return Value::string(model::protocol_name(declared_.protocol));
  const auto& steps = step_names(declared_.protocol);
  if (std::ranges::find(steps, text) == steps.end()) return std::nullopt;
  return make_step(service_, declared_, text);
}

void InterfaceValue::list_dynamic_attributes(std::vector<Symbol>& out) const {
  for (const char* name : {"internal_addr", "name", "port", "protocol", "proxy_addr"}) {
    out.emplace_back(name);
  }
  for (const std::string& step : step_names(declared_.protocol)) out.emplace_back(step);
}

void InterfaceValue::raise_no_attribute(Symbol name) const { star::raise(no_attribute(name)); }

star::Complaint InterfaceValue::no_attribute(Symbol name) const {
  std::vector<std::string> known = {"internal_addr", "name", "port", "protocol", "proxy_addr"};
  const auto& steps = step_names(declared_.protocol);
  known.insert(known.end(), steps.begin(), steps.end());
  std::string message = fmt::format("{}.{} has no .{}{}", service_, declared_.name, name.text(),
                                    did_you_mean(name.text(), known));
  if (is_step_name(name.text())) {
    message = fmt::format("{}.{} speaks {}, which has no .{}()", service_, declared_.name,
                          model::protocol_name(declared_.protocol), name.text());
  }
  return {.code = star::code::kName, .message = message, .help = "it has " + listed(known)};
}

void ServiceValue::write_repr(star::Writer& out) const {
  out.text(fmt::format("<service {}>", declared_.name));
}

std::optional<Value> ServiceValue::dynamic_attribute(Symbol name) {
  if (const auto* found = declared_.find_interface(name.text()); found != nullptr) {
    return Value::object(star::make<InterfaceValue>(declared_.name, *found));
  }
  if (declared_.interfaces.size() != 1) return std::nullopt;
  const model::Interface& only = declared_.interfaces.front();
  const auto& steps = step_names(only.protocol);
  if (std::ranges::find(steps, name.text()) == steps.end()) return std::nullopt;
  return make_step(declared_.name, only, name.text());
}

void ServiceValue::list_dynamic_attributes(std::vector<Symbol>& out) const {
  for (const model::Interface& interface : declared_.interfaces) out.emplace_back(interface.name);
  if (declared_.interfaces.size() != 1) return;
  for (const std::string& step : step_names(declared_.interfaces.front().protocol)) {
    out.emplace_back(step);
  }
}

void ServiceValue::raise_no_attribute(Symbol name) const { star::raise(no_attribute(name)); }

star::Complaint ServiceValue::no_attribute(Symbol name) const {
  std::vector<std::string> known;
  known.reserve(declared_.interfaces.size());
  for (const model::Interface& interface : declared_.interfaces) known.push_back(interface.name);
  const std::string interfaces = listed(known);
  if (declared_.interfaces.size() == 1) {
    const auto& steps = step_names(declared_.interfaces.front().protocol);
    known.insert(known.end(), steps.begin(), steps.end());
  }
  std::string message = fmt::format("service \"{}\" has no .{}{}", declared_.name, name.text(),
                                    did_you_mean(name.text(), known));
  std::string help = known.empty() ? "it declares no interface" : "it has " + listed(known);
  if (is_step_name(name.text()) && declared_.interfaces.size() > 1) {
    message = fmt::format("service \"{}\" has {} interfaces: say which one .{}() is for",
                          declared_.name, declared_.interfaces.size(), name.text());
    help = "interfaces: " + interfaces;
  }
  return {.code = star::code::kName, .message = message, .help = help};
}

std::optional<std::string> service_name_of(const Value& value) {
  if (const auto* service = value.as<ServiceValue>(); service != nullptr) {
    return service->declared().name;
  }
  if (const auto text = value.as_string()) return std::string(*text);
  return std::nullopt;
}

}  // namespace misrule::dsl
