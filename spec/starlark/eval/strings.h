#pragma once

// Strings, bytes and floats in memory.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spec/starlark/value.h"

namespace misrule::star {

/// Immutable text (or bytes, by kind). Bytes of UTF-8, not checked.
class String final : public HeapValue {
 public:
  String(Kind kind, std::string text);
  ~String() override;
  std::string_view text() const { return text_; }
  std::uint64_t hash() const;
  /// Only while nobody else holds it.
  void append(std::string_view more);

 private:
  std::string text_;
  mutable std::uint64_t hash_ = 0;
};

class Float final : public HeapValue {
 public:
  explicit Float(double number) : HeapValue(Kind::kFloat), number_(number) {}
  double number() const { return number_; }

 private:
  double number_;
};

Value make_string(std::string text);
Value make_bytes(std::string bytes);
inline const String& string_of(const Value& value) {
  return *static_cast<const String*>(value.heap());
}
inline double float_of(const Value& value) {
  return static_cast<const Float*>(value.heap())->number();
}
std::uint64_t hash_text(std::string_view text);
std::uint64_t hash_float(double number);
/// As str() shows it.
std::string float_to_string(double number);

}  // namespace misrule::star
