#pragma once

// Whole numbers of any size. Small ones live in the Value; the rest is behind this file, which
// alone knows how. Every argument called `a` or `b` is an int.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spec/starlark/object.h"
#include "spec/starlark/value.h"

namespace misrule::star {

bool is_int(const Value& value);
/// + - * // % & | ^ << >>; raises on division by zero, bad shifts, and above Limits::int_bits_max.
Value int_binary(BinaryOp op, const Value& a, const Value& b);
Value int_negate(const Value& a);
Value int_invert(const Value& a);
bool int_is_zero(const Value& a);
int int_sign(const Value& a);
int compare_ints(const Value& a, const Value& b);
/// Exact; `d` is not NaN.
int compare_int_float(const Value& a, double d);
/// Nearest double; infinite if too large.
double int_to_double(const Value& a);
/// Truncates; `d` is finite.
Value int_from_double(double d);
/// Only digits of the base, at least one; nothing otherwise.
std::optional<Value> parse_int(std::string_view digits, int base);
/// Base 8, 10 or 16; letters in lower case.
std::string int_to_string(const Value& a, int base = 10);
std::uint64_t int_hash(const Value& a);

}  // namespace misrule::star
