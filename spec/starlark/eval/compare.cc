// Equality and order. Bounded in depth and in work: values can be cyclic, and small graphs can be
// huge trees.

#include "spec/starlark/eval/compare.h"

#include <cmath>
#include <functional>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"

namespace misrule::star {
namespace {

constexpr unsigned kDepthMax = 200;
constexpr std::uint64_t kWorkMax = 5'000'000;

thread_local unsigned depth = 0;
thread_local std::uint64_t work = 0;

/// One level of a comparison; equality of table keys re-enters through it.
class Level {
 public:
  Level() {
    if (depth == 0) work = 0;
    if (depth >= kDepthMax) raise(code::kLimit, "comparison exceeded maximum recursion depth");
    if (++work > kWorkMax) raise(code::kLimit, "comparison takes too long");
    ++depth;
  }
  ~Level() { --depth; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
};

// NaN is one value, above all others.
int order_floats(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) - std::isnan(b);
  return a < b ? -1 : static_cast<int>(a > b);
}

bool is_number(Kind kind) { return kind == Kind::kInt || kind == Kind::kFloat; }

int order_numbers(const Value& a, const Value& b) {
  const bool int_a = a.kind() == Kind::kInt;
  const bool int_b = b.kind() == Kind::kInt;
  if (int_a && int_b) return compare_ints(a, b);
  if (!int_a && !int_b) return order_floats(float_of(a), float_of(b));
  const double d = float_of(int_a ? b : a);
  if (std::isnan(d)) return int_a ? -1 : 1;
  return int_a ? compare_int_float(a, d) : -compare_int_float(b, d);
}

bool equal_items(std::span<const Value> a, std::span<const Value> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!values_equal(a[i], b[i])) return false;
  }
  return true;
}

bool subset(const Table& a, const Table& b) {
  if (a.size() > b.size()) return false;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = a.next(cursor)) {
    if (b.find(entry->key) == nullptr) return false;
  }
  return true;
}

bool equal_tables(const Table& a, const Table& b) {
  if (a.size() != b.size()) return false;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = a.next(cursor)) {
    const Value* other = b.find(entry->key);
    if (other == nullptr || !values_equal(entry->value, *other)) return false;
  }
  return true;
}

bool equal_structs(const Struct& a, const Struct& b) {
  if (a.fields().size() != b.fields().size()) return false;
  for (std::size_t i = 0; i < a.fields().size(); ++i) {
    if (a.fields()[i].first != b.fields()[i].first) return false;
    if (!values_equal(a.fields()[i].second, b.fields()[i].second)) return false;
  }
  return true;
}

template <class T>
const T& at(const Value& value) {
  return *static_cast<const T*>(value.as_object());
}

bool equal_objects(const Value& a, const Value& b) {
  const Level level;
  if (a.kind() == b.kind()) {
    switch (a.kind()) {
      case Kind::kList:
        return equal_items(at<List>(a).items(), at<List>(b).items());
      case Kind::kTuple:
        return equal_items(at<Tuple>(a).items(), at<Tuple>(b).items());
      case Kind::kDict:
        return equal_tables(at<Dict>(a).table(), at<Dict>(b).table());
      case Kind::kSet:
        return equal_tables(at<Set>(a).table(), at<Set>(b).table());
      case Kind::kRange:
        return at<Range>(a).same_sequence(at<Range>(b));
      case Kind::kStruct:
        return equal_structs(at<Struct>(a), at<Struct>(b));
      default:
        break;
    }
  }
  if (a.same_as(b)) return true;
  if (a.kind() == Kind::kHost) {
    if (const auto answer = a.as_object()->equals(b)) return *answer;
  }
  if (b.kind() == Kind::kHost) {
    if (const auto answer = b.as_object()->equals(a)) return *answer;
  }
  return false;
}

std::optional<int> order_items(std::span<const Value> a, std::span<const Value> b, CompareOp op) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (!values_equal(a[i], b[i])) return order_values(a[i], b[i], op);
  }
  return a.size() < b.size() ? -1 : static_cast<int>(a.size() > b.size());
}

std::optional<int> order_objects(const Value& a, const Value& b, CompareOp op) {
  const Level level;
  if (a.kind() == Kind::kList && b.kind() == Kind::kList) {
    return order_items(at<List>(a).items(), at<List>(b).items(), op);
  }
  if (a.kind() == Kind::kTuple && b.kind() == Kind::kTuple) {
    return order_items(at<Tuple>(a).items(), at<Tuple>(b).items(), op);
  }
  if (a.kind() == Kind::kHost) {
    if (const auto answer = a.as_object()->compare(b)) return answer;
  }
  if (b.kind() == Kind::kHost) {
    if (const auto answer = b.as_object()->compare(a)) return -*answer;
  }
  return std::nullopt;
}

bool compare_sets(CompareOp op, const Table& a, const Table& b) {
  switch (op) {
    case CompareOp::kLess:
      return a.size() < b.size() && subset(a, b);
    case CompareOp::kLessEqual:
      return subset(a, b);
    case CompareOp::kGreater:
      return b.size() < a.size() && subset(b, a);
    default:
      return subset(b, a);
  }
}

bool string_contains(const Value& haystack, const Value& needle) {
  const auto text = needle.as_string();
  if (text) return haystack.as_string()->find(*text) != std::string_view::npos;
  if (const Object* object = needle.as_object()) {
    if (const auto plain = object->unwrapped()) return value_contains(haystack, *plain);
  }
  raise(code::kType,
        fmt::format("'in <string>' requires string as left operand, not {}", needle.type_name()));
}

bool bytes_contains(const Value& haystack, const Value& needle) {
  const std::string_view text = *haystack.as_bytes();
  if (const auto part = needle.as_bytes()) return text.find(*part) != std::string_view::npos;
  if (needle.kind() != Kind::kInt) {
    raise(code::kType, fmt::format("'in bytes' requires bytes or int as left operand, not {}",
                                   needle.type_name()));
  }
  const auto byte = needle.as_int();
  if (!byte || *byte < 0 || *byte > 255) {
    raise(code::kValue,
          fmt::format("int in bytes: {} out of range (want value in unsigned 8-bit range)",
                      int_to_string(needle)));
  }
  return text.find(static_cast<char>(*byte)) != std::string_view::npos;
}

}  // namespace

std::string_view symbol_of(CompareOp op) {
  constexpr std::string_view kTexts[] = {
      "==", "!=", "<", ">", "<=", ">=", "in", "not in", "is", "is not"};
  return kTexts[static_cast<std::size_t>(op)];
}

bool values_equal(const Value& a, const Value& b) {
  const Kind ka = a.kind();
  const Kind kb = b.kind();
  if (is_number(ka) && is_number(kb)) return order_numbers(a, b) == 0;
  if (ka == Kind::kString || ka == Kind::kBytes) {
    if (ka == kb) return a.same_as(b) || string_of(a).text() == string_of(b).text();
    return kb == Kind::kHost && equal_objects(a, b);
  }
  if (a.as_object() == nullptr && b.as_object() == nullptr) return a.same_as(b);
  return equal_objects(a, b);
}

int order_values(const Value& a, const Value& b, CompareOp op) {
  const Kind ka = a.kind();
  const Kind kb = b.kind();
  if (is_number(ka) && is_number(kb)) return order_numbers(a, b);
  if (ka == kb && (ka == Kind::kString || ka == Kind::kBytes)) {
    return string_of(a).text().compare(string_of(b).text());
  }
  if (ka == kb && ka == Kind::kBool) return a.truth() - b.truth();
  if (const auto order = order_objects(a, b, op)) return *order;
  raise(code::kType,
        fmt::format("{} {} {} not implemented", a.type_name(), symbol_of(op), b.type_name()));
}

bool compare_values(CompareOp op, const Value& a, const Value& b) {
  if (op == CompareOp::kEqual || op == CompareOp::kIs) return values_equal(a, b);
  if (op == CompareOp::kNotEqual || op == CompareOp::kIsNot) return !values_equal(a, b);
  if (op == CompareOp::kIn) return value_contains(b, a);
  if (op == CompareOp::kNotIn) return !value_contains(b, a);
  if (a.kind() == Kind::kSet && b.kind() == Kind::kSet) {
    return compare_sets(op, a.as_set()->table(), b.as_set()->table());
  }
  const int order = order_values(a, b, op);
  switch (op) {
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kGreater:
      return order > 0;
    case CompareOp::kLessEqual:
      return order <= 0;
    default:
      return order >= 0;
  }
}

bool value_contains(const Value& haystack, const Value& needle) {
  if (haystack.kind() == Kind::kString) return string_contains(haystack, needle);
  if (haystack.kind() == Kind::kBytes) return bytes_contains(haystack, needle);
  const Object* object = haystack.as_object();
  if (object != nullptr) {
    if (const auto answer = object->contains(needle)) return *answer;
  }
  const bool searchable = haystack.kind() == Kind::kList || haystack.kind() == Kind::kTuple ||
                          (haystack.kind() == Kind::kHost && is_iterable(haystack));
  if (!searchable) {
    raise(code::kType,
          fmt::format("unknown binary op: {} in {}", needle.type_name(), haystack.type_name()));
  }
  Iteration iteration(haystack);
  for (Value item; iteration.next(item);) {
    if (values_equal(item, needle)) return true;
  }
  return false;
}

}  // namespace misrule::star
