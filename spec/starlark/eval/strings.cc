// Strings and floats: storage, hashes, and how a float is written.

#include "spec/starlark/eval/strings.h"

#include <charconv>
#include <cmath>
#include <functional>

#include "fmt/format.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"

namespace misrule::star {

String::String(Kind kind, std::string text) : HeapValue(kind), text_(std::move(text)) {
  Heap::charge(text_.size());
}

String::~String() { Heap::uncharge(text_.size()); }

std::uint64_t String::hash() const {
  if (hash_ == 0) hash_ = hash_text(text_);
  return hash_;
}

void String::append(std::string_view more) {
  Heap::charge(more.size());
  text_.append(more);
  hash_ = 0;
}

Value make_string(std::string text) {
  return Value::of(new String(Kind::kString, std::move(text)));
}
Value make_bytes(std::string bytes) {
  return Value::of(new String(Kind::kBytes, std::move(bytes)));
}

std::uint64_t hash_text(std::string_view text) { return std::hash<std::string_view>{}(text) | 1U; }

std::uint64_t hash_float(double number) {
  if (std::isnan(number)) return 0x7FF8;
  if (std::isinf(number)) return number > 0 ? 0x7FF0 : 0xFFF0;
  if (number == std::trunc(number)) return int_hash(int_from_double(number));
  return std::hash<double>{}(number);
}

std::string float_to_string(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "+inf" : "-inf";
  char buffer[40];
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  std::string out(buffer, written.ptr);
  const int exponent = std::atoi(out.c_str() + out.find('e') + 1);
  if (exponent < -4 || exponent >= 6) return out;
  const auto fixed =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed);
  out.assign(buffer, fixed.ptr);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

}  // namespace misrule::star
