#include "spec/model/event.h"

#include <algorithm>

#include <fmt/format.h>

namespace misrule::model {

const Field* Event::find(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

namespace {

struct FieldText {
  std::string operator()(std::nullptr_t) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Json& value) const { return value.text; }
};

}  // namespace

Event& Event::put(std::string_view name, Field value) {
  const auto known = std::ranges::find(
      fields, name, [](const auto& field) { return std::string_view(field.first); });
  if (known == fields.end()) return set(std::string(name), std::move(value));
  known->second = std::move(value);
  return *this;
}

void Event::remove(std::string_view name) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
}

std::string field_text(const Field& field) { return std::visit(FieldText{}, field); }

bool is_injected(const Event& event) {
  const Field* field = event.find("injected");
  const bool* injected = field == nullptr ? nullptr : std::get_if<bool>(field);
  return injected != nullptr && *injected;
}

}  // namespace misrule::model
