#pragma once

// Arithmetic and its relatives, by the types of their operands.

#include "spec/starlark/object.h"
#include "spec/starlark/syntax/expr.h"

namespace misrule::star {

Value binary_op(BinaryOp op, const Value& a, const Value& b);
/// All but `not`.
Value unary_op(UnaryOp op, const Value& a);
/// "..." % operand.
Value format_percent(std::string_view format, const Value& operand);

}  // namespace misrule::star
