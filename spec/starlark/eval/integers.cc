// Integers over Boost.Multiprecision, which no other file includes.

#include "spec/starlark/eval/integers.h"

#include <cmath>
#include <memory>

#include <boost/multiprecision/cpp_int.hpp>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {
namespace {

using Number = boost::multiprecision::cpp_int;

class BigInt final : public HeapValue {
 public:
  explicit BigInt(Number number) : HeapValue(Kind::kBigInt), number_(std::move(number)) {
    charged_ = number_.backend().size() * sizeof(boost::multiprecision::limb_type);
    Heap::charge(charged_);
  }
  ~BigInt() override { Heap::uncharge(charged_); }
  const Number& number() const { return number_; }

 private:
  Number number_;
  std::size_t charged_;
};

constexpr std::int64_t kSmallMax = INT64_MAX >> 1;
constexpr std::int64_t kSmallMin = INT64_MIN >> 1;

Number number_of(const Value& a) {
  if (a.is_small_int()) return Number(a.small_int());
  return static_cast<const BigInt*>(a.heap())->number();
}

std::size_t bits_of(const Number& n) { return n.is_zero() ? 0 : msb(abs(n)) + 1; }

Value to_value(Number n) {
  if (n >= kSmallMin && n <= kSmallMax) return Value::integer(n.convert_to<std::int64_t>());
  if (bits_of(n) > Heap::limits().int_bits_max) {
    raise(code::kLimit,
          fmt::format("integer too large (more than {} bits)", Heap::limits().int_bits_max));
  }
  return Value::of(new BigInt(std::move(n)));
}

Value divide(const Number& a, const Number& b, bool wants_modulo) {
  if (b.is_zero()) {
    raise(code::kValue, wants_modulo ? "integer modulo by zero" : "floored division by zero");
  }
  Number quotient;
  Number remainder;
  divide_qr(a, b, quotient, remainder);
  if (!remainder.is_zero() && (remainder.sign() < 0) != (b.sign() < 0)) {
    quotient -= 1;
    remainder += b;
  }
  return to_value(wants_modulo ? remainder : quotient);
}

Value shift(const Number& a, const Value& count, bool left) {
  const std::optional<std::int64_t> by = count.as_int();
  if (int_sign(count) < 0) {
    raise(code::kValue, fmt::format("negative shift count: {}", int_to_string(count)));
  }
  if (left) {
    if (!by || *by >= 512) {
      raise(code::kValue, fmt::format("shift count too large: {}", int_to_string(count)));
    }
    return to_value(a << static_cast<unsigned>(*by));
  }
  if (!by || static_cast<std::size_t>(*by) > bits_of(a)) {
    return Value::integer(a.sign() < 0 ? -1 : 0);
  }
  if (a.sign() >= 0) return to_value(a >> static_cast<unsigned>(*by));
  return to_value(-((-a - 1) >> static_cast<unsigned>(*by)) - 1);
}

// cpp_int has no bit operations on negative numbers: -x - 1 == ~x.
Number bitwise(BinaryOp op, const Number& a, const Number& b) {
  const bool na = a.sign() < 0;
  const bool nb = b.sign() < 0;
  const Number x = na ? Number(-a - 1) : a;
  const Number y = nb ? Number(-b - 1) : b;
  const auto without = [](const Number& p, const Number& q) { return Number(p ^ (p & q)); };
  const auto invert = [](const Number& p) { return Number(-p - 1); };
  if (op == BinaryOp::kBitXor) {
    const Number mixed = x ^ y;
    return na != nb ? invert(mixed) : mixed;
  }
  if (op == BinaryOp::kBitAnd) {
    if (na && nb) return invert(x | y);
    if (na) return without(y, x);
    return nb ? without(x, y) : Number(x & y);
  }
  if (na && nb) return invert(x & y);
  if (na) return invert(without(x, y));
  return nb ? invert(without(y, x)) : Number(x | y);
}

Value big_binary(BinaryOp op, const Value& a, const Value& b) {
  const Number x = number_of(a);
  if (op == BinaryOp::kShiftLeft || op == BinaryOp::kShiftRight) {
    return shift(x, b, op == BinaryOp::kShiftLeft);
  }
  const Number y = number_of(b);
  switch (op) {
    case BinaryOp::kAdd:
      return to_value(x + y);
    case BinaryOp::kSubtract:
      return to_value(x - y);
    case BinaryOp::kMultiply:
      if (bits_of(x) + bits_of(y) > Heap::limits().int_bits_max + 1U) {
        raise(code::kLimit, "integer too large");
      }
      return to_value(x * y);
    case BinaryOp::kFloorDivide:
    case BinaryOp::kModulo:
      return divide(x, y, op == BinaryOp::kModulo);
    default:
      return to_value(bitwise(op, x, y));
  }
}

std::optional<Value> small_division(BinaryOp op, std::int64_t x, std::int64_t y) {
  if (y == 0) return std::nullopt;
  std::int64_t quotient = x / y;
  std::int64_t remainder = x % y;
  if (remainder != 0 && (remainder < 0) != (y < 0)) {
    --quotient;
    remainder += y;
  }
  return Value::integer(op == BinaryOp::kModulo ? remainder : quotient);
}

std::optional<Value> small_binary(BinaryOp op, std::int64_t x, std::int64_t y) {
  std::int64_t out = 0;
  switch (op) {
    case BinaryOp::kAdd:
      return Value::integer(x + y);  // 63-bit operands: the sum fits.
    case BinaryOp::kSubtract:
      return Value::integer(x - y);
    case BinaryOp::kMultiply:
      if (__builtin_mul_overflow(x, y, &out)) return std::nullopt;
      return Value::integer(out);
    case BinaryOp::kFloorDivide:
    case BinaryOp::kModulo:
      return small_division(op, x, y);
    case BinaryOp::kBitAnd:
      return Value::integer(x & y);
    case BinaryOp::kBitOr:
      return Value::integer(x | y);
    case BinaryOp::kBitXor:
      return Value::integer(x ^ y);
    case BinaryOp::kShiftRight:
      if (y < 0) return std::nullopt;
      return Value::integer(x >> std::min<std::int64_t>(y, 63));
    default:
      return std::nullopt;
  }
}

}  // namespace

bool is_int(const Value& value) { return value.kind() == Kind::kInt; }

Value Value::integer(std::int64_t number) {
  if (number >= kSmallMin && number <= kSmallMax) {
    return from_word((static_cast<std::uint64_t>(number) << 1) | 1U);
  }
  return Value::of(new BigInt(Number(number)));
}

std::optional<std::int64_t> Value::as_int() const {
  if (is_small_int()) return small_int();
  if (!is_heap() || heap()->kind() != Kind::kBigInt) return std::nullopt;
  const Number& n = static_cast<const BigInt*>(heap())->number();
  if (n < INT64_MIN || n > INT64_MAX) return std::nullopt;
  return n.convert_to<std::int64_t>();
}

Value int_binary(BinaryOp op, const Value& a, const Value& b) {
  if (a.is_small_int() && b.is_small_int()) {
    if (std::optional<Value> small = small_binary(op, a.small_int(), b.small_int())) {
      return std::move(*small);
    }
  }
  return big_binary(op, a, b);
}

Value int_negate(const Value& a) {
  if (a.is_small_int()) return Value::integer(-a.small_int());
  return to_value(-number_of(a));
}

Value int_invert(const Value& a) {
  if (a.is_small_int()) return Value::integer(~a.small_int());
  return to_value(-number_of(a) - 1);
}

bool int_is_zero(const Value& a) { return a.is_small_int() && a.small_int() == 0; }

int int_sign(const Value& a) {
  if (!a.is_small_int()) return static_cast<const BigInt*>(a.heap())->number().sign();
  return a.small_int() < 0 ? -1 : static_cast<int>(a.small_int() > 0);
}

int compare_ints(const Value& a, const Value& b) {
  if (a.is_small_int() && b.is_small_int()) {
    return a.small_int() < b.small_int() ? -1 : static_cast<int>(a.small_int() > b.small_int());
  }
  return number_of(a).compare(number_of(b));
}

int compare_int_float(const Value& a, double d) {
  if (std::isinf(d)) return d > 0 ? -1 : 1;
  const double whole = std::trunc(d);
  const int order = number_of(a).compare(Number(whole));
  if (order != 0 || whole == d) return order;
  return d > whole ? -1 : 1;
}

double int_to_double(const Value& a) {
  if (a.is_small_int()) return static_cast<double>(a.small_int());
  const Number& n = static_cast<const BigInt*>(a.heap())->number();
  if (bits_of(n) > 1100) return n.sign() < 0 ? -HUGE_VAL : HUGE_VAL;
  // The decimal text rounds to nearest even; convert_to truncates.
  return std::strtod(n.str().c_str(), nullptr);
}

Value int_from_double(double d) {
  const double whole = std::trunc(d);
  if (std::fabs(whole) < 4e18) return Value::integer(static_cast<std::int64_t>(whole));
  return to_value(Number(whole));
}

std::optional<Value> parse_int(std::string_view digits, int base) {
  if (digits.empty()) return std::nullopt;
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  std::size_t bits_of_digit = 0;
  while ((2 << bits_of_digit) <= base) ++bits_of_digit;
  if (digits.size() * bits_of_digit > Heap::limits().int_bits_max + std::size_t{64}) {
    raise(code::kLimit, "integer too large");
  }
  Number n = 0;
  std::int64_t chunk = 0;
  std::int64_t scale = 1;
  constexpr std::int64_t kScaleMax = std::int64_t{1} << 56;
  const auto flush = [&] {
    n = n.is_zero() ? Number(chunk) : Number(n * scale + chunk);
    chunk = 0;
    scale = 1;
  };
  for (const char c : digits) {
    int digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'z') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') digit = c - 'A' + 10;
    if (digit >= base) return std::nullopt;
    chunk = chunk * base + digit;
    scale *= base;
    if (scale >= kScaleMax) flush();
  }
  flush();
  return to_value(std::move(n));
}

std::string int_to_string(const Value& a, int base) {
  if (a.is_small_int() && base == 10) return fmt::format("{}", a.small_int());
  const Number n = number_of(a);
  if (base == 10) return n.str();
  const auto flags = base == 16 ? std::ios_base::hex : std::ios_base::oct;
  std::string digits = Number(abs(n)).str(0, flags);
  for (char& c : digits) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
  }
  return n.sign() < 0 ? "-" + digits : digits;
}

std::uint64_t int_hash(const Value& a) {
  if (!a.is_small_int()) return std::hash<std::string>{}(int_to_string(a, 16));
  auto x = static_cast<std::uint64_t>(a.small_int()) + 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace misrule::star
