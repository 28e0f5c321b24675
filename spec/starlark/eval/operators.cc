// Binary and unary operators.

#include "spec/starlark/eval/operators.h"

#include <cmath>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"

namespace misrule::star {

std::string_view symbol_of(BinaryOp op) {
  constexpr std::string_view kTexts[] = {"+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>"};
  return kTexts[static_cast<std::size_t>(op)];
}

namespace {

bool is_number(const Value& value) {
  return value.kind() == Kind::kInt || value.kind() == Kind::kFloat;
}

double to_float(const Value& value) {
  if (value.kind() == Kind::kFloat) return float_of(value);
  const double d = int_to_double(value);
  if (std::isinf(d)) raise(code::kValue, "int too large to convert to float");
  return d;
}

double floor_modulo(double x, double y) {
  double rest = std::fmod(x, y);
  if (rest != 0 && (rest < 0) != (y < 0)) rest += y;
  return rest;
}

std::optional<Value> float_binary(BinaryOp op, double x, double y) {
  switch (op) {
    case BinaryOp::kAdd:
      return Value::real(x + y);
    case BinaryOp::kSubtract:
      return Value::real(x - y);
    case BinaryOp::kMultiply:
      return Value::real(x * y);
    case BinaryOp::kDivide:
      if (y == 0) raise(code::kValue, "floating-point division by zero");
      return Value::real(x / y);
    case BinaryOp::kFloorDivide:
      if (y == 0) raise(code::kValue, "floored division by zero");
      return Value::real(std::floor(x / y));
    case BinaryOp::kModulo:
      if (y == 0) raise(code::kValue, "floating-point modulo by zero");
      return Value::real(floor_modulo(x, y));
    default:
      return std::nullopt;
  }
}

std::optional<Value> number_binary(BinaryOp op, const Value& a, const Value& b) {
  const bool ints = a.kind() == Kind::kInt && b.kind() == Kind::kInt;
  if (ints && op != BinaryOp::kDivide) return int_binary(op, a, b);
  return float_binary(op, to_float(a), to_float(b));
}

Value concat_text(const Value& a, const Value& b) {
  const std::string_view x = string_of(a).text();
  const std::string_view y = string_of(b).text();
  Heap::reserve(x.size() + y.size());
  std::string out;
  out.reserve(x.size() + y.size());
  out.append(x).append(y);
  return a.kind() == Kind::kString ? make_string(std::move(out)) : make_bytes(std::move(out));
}

std::vector<Value> joined(std::span<const Value> a, std::span<const Value> b) {
  Heap::reserve((a.size() + b.size()) * sizeof(Value));
  std::vector<Value> out;
  out.reserve(a.size() + b.size());
  out.insert(out.end(), a.begin(), a.end());
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

std::optional<Value> add(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kString:
    case Kind::kBytes:
      return concat_text(a, b);
    case Kind::kList:
      return Value::list(joined(a.as_list()->items(), b.as_list()->items()));
    case Kind::kTuple:
      return Value::tuple(joined(a.as_tuple()->items(), b.as_tuple()->items()));
    default:
      return std::nullopt;
  }
}

std::size_t repeat_count(const Value& count, std::size_t size) {
  if (int_sign(count) <= 0 || size == 0) return 0;
  const auto times = count.as_int();
  if (!times || *times > INT32_MAX) {
    raise(code::kLimit, fmt::format("repeat count {} too large", int_to_string(count)));
  }
  constexpr std::size_t kElementsMax = std::size_t{1} << 30;
  const auto n = static_cast<std::size_t>(*times);
  if (n >= kElementsMax / size + 1) {
    raise(code::kLimit, fmt::format("excessive repeat ({} * {} elements)", size, n));
  }
  return n;
}

std::vector<Value> repeated(std::span<const Value> items, const Value& count) {
  const std::size_t times = repeat_count(count, items.size());
  Heap::reserve(items.size() * times * sizeof(Value));
  std::vector<Value> out;
  out.reserve(items.size() * times);
  for (std::size_t i = 0; i < times; ++i) out.insert(out.end(), items.begin(), items.end());
  return out;
}

std::optional<Value> repeat(const Value& a, const Value& count) {
  if (count.kind() != Kind::kInt) return std::nullopt;
  switch (a.kind()) {
    case Kind::kString:
    case Kind::kBytes: {
      const std::string_view text = string_of(a).text();
      const std::size_t times = repeat_count(count, text.size());
      Heap::reserve(text.size() * times);
      std::string out;
      out.reserve(text.size() * times);
      for (std::size_t i = 0; i < times; ++i) out.append(text);
      return a.kind() == Kind::kString ? make_string(std::move(out)) : make_bytes(std::move(out));
    }
    case Kind::kList:
      return Value::list(repeated(a.as_list()->items(), count));
    case Kind::kTuple:
      return Value::tuple(repeated(a.as_tuple()->items(), count));
    default:
      return std::nullopt;
  }
}

void add_entries(Dict& out, const Dict& from) {
  std::size_t cursor = 0;
  while (const Table::Entry* entry = from.table().next(cursor)) {
    out.mutable_table().set(entry->key, entry->value);
  }
}

/// Adds the elements of `from` that are (or are not) in `other`.
void add_filtered(Set& out, const Set& from, const Set* other, bool wanted) {
  std::size_t cursor = 0;
  while (const Table::Entry* entry = from.table().next(cursor)) {
    const bool shared = other != nullptr && other->table().find(entry->key) != nullptr;
    if (other == nullptr || shared == wanted) out.insert(entry->key);
  }
}

std::optional<Value> set_binary(BinaryOp op, const Value& a, const Value& b) {
  if (a.kind() == Kind::kDict && b.kind() == Kind::kDict && op == BinaryOp::kBitOr) {
    const Ref<Dict> out = make<Dict>();
    add_entries(*out, *a.as_dict());
    add_entries(*out, *b.as_dict());
    return Value::object(out);
  }
  if (a.kind() != Kind::kSet || b.kind() != Kind::kSet) return std::nullopt;
  const Set& x = *a.as_set();
  const Set& y = *b.as_set();
  const Ref<Set> out = make<Set>();
  switch (op) {
    case BinaryOp::kBitOr:
      add_filtered(*out, x, nullptr, true);
      add_filtered(*out, y, nullptr, true);
      break;
    case BinaryOp::kBitAnd:
      add_filtered(*out, x, &y, true);
      break;
    case BinaryOp::kSubtract:
      add_filtered(*out, x, &y, false);
      break;
    case BinaryOp::kBitXor:
      add_filtered(*out, x, &y, false);
      add_filtered(*out, y, &x, false);
      break;
    default:
      return std::nullopt;
  }
  return Value::object(out);
}

std::optional<Value> by_type(BinaryOp op, const Value& a, const Value& b) {
  if (is_number(a) && is_number(b)) return number_binary(op, a, b);
  switch (op) {
    case BinaryOp::kAdd:
      return add(a, b);
    case BinaryOp::kMultiply: {
      std::optional<Value> out = repeat(a, b);
      return out ? out : repeat(b, a);
    }
    case BinaryOp::kModulo:
      if (const auto format = a.as_string()) return format_percent(*format, b);
      return std::nullopt;
    case BinaryOp::kBitAnd:
    case BinaryOp::kBitOr:
    case BinaryOp::kBitXor:
    case BinaryOp::kSubtract:
      return set_binary(op, a, b);
    default:
      return std::nullopt;
  }
}

}  // namespace

Value binary_op(BinaryOp op, const Value& a, const Value& b) {
  if (std::optional<Value> out = by_type(op, a, b)) return std::move(*out);
  if (Object* left = a.as_object()) {
    if (std::optional<Value> out = left->binary(op, b, true)) return std::move(*out);
  }
  if (Object* right = b.as_object()) {
    if (std::optional<Value> out = right->binary(op, a, false)) return std::move(*out);
  }
  raise({.code = code::kType,
         .message = fmt::format("unknown binary op: {} {} {}", a.type_name(), symbol_of(op),
                                b.type_name()),
         .help = op == BinaryOp::kAdd && (a.kind() == Kind::kString || b.kind() == Kind::kString)
                     ? "str(x) makes text of a value"
                     : ""});
}

Value unary_op(UnaryOp op, const Value& a) {
  if (a.kind() == Kind::kInt) {
    if (op == UnaryOp::kPlus) return a;
    return op == UnaryOp::kMinus ? int_negate(a) : int_invert(a);
  }
  if (a.kind() == Kind::kFloat && op != UnaryOp::kInvert) {
    return op == UnaryOp::kPlus ? a : Value::real(-float_of(a));
  }
  constexpr std::string_view kSymbols[] = {"+", "-", "~", "not"};
  raise(code::kType, fmt::format("unknown unary op: {} {}", kSymbols[static_cast<std::size_t>(op)],
                                 a.type_name()));
}

}  // namespace misrule::star
