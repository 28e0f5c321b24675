#pragma once

// A value that a rule makes up: what a row, a reply or a place in a document is to hold.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace misrule::codecs {

struct Value;

/// In the order they were written.
using ValueList = std::vector<Value>;
using ValueMap = std::vector<std::pair<std::string, Value>>;

/// JSON's kinds, with whole numbers apart.
struct Value {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, ValueList, ValueMap> held =
      {};

  bool is_null() const { return std::holds_alternative<std::monostate>(held); }
  bool operator==(const Value&) const = default;
};

}  // namespace misrule::codecs
