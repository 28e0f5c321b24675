#pragma once

// Which types of events there are, and which fields each may have: docs/events.md as a table.

#include <string>
#include <string_view>
#include <vector>

namespace misrule::dsl {

/// A field that only ever has one of these values.
struct ClosedField {
  std::string_view name;
  std::vector<std::string_view> values;
};

struct EventType {
  std::string_view name;
  std::vector<std::string_view> fields;
  bool by_test;     ///< Its service is "test", and only that.
  bool by_service;  ///< Its service is a declared one.
  std::vector<ClosedField> closed = {};
  std::string_view source = {};  ///< What of observe= makes it; empty: it is made without.

  bool has(std::string_view field) const;
  /// Members of what it carries ("data") are read as if they were its own.
  bool is_open() const { return has("data"); }
  /// Null: any value is possible.
  const ClosedField* find_closed(std::string_view field) const;
};

const std::vector<EventType>& event_types();
const EventType* find_event_type(std::string_view name);
std::vector<std::string> event_type_names();
/// A field of some type: absent from an event it reads as empty; any other name is a mistake.
bool is_event_field(std::string_view name);
/// A field of every type.
bool is_common_field(std::string_view name);
std::vector<std::string> all_event_fields();

}  // namespace misrule::dsl
