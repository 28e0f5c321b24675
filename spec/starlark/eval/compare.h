#pragma once

// Equality and order of values.

#include "spec/starlark/syntax/expr.h"
#include "spec/starlark/value.h"

namespace misrule::star {

bool values_equal(const Value& a, const Value& b);
/// ==, !=, <, >, <=, >=; raises where there is no order.
bool compare_values(CompareOp op, const Value& a, const Value& b);
/// Negative, 0, positive; raises "string < int not implemented".
int order_values(const Value& a, const Value& b, CompareOp op = CompareOp::kLess);
/// needle in haystack.
bool value_contains(const Value& haystack, const Value& needle);
std::string_view symbol_of(CompareOp op);

}  // namespace misrule::star
