// Functions that make a value of another type: int, float, str, list, dict, ...

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fmt/format.h"
#include "spec/starlark/args.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/function.h"
#include "spec/starlark/lib/dict_update.h"
#include "spec/starlark/lib/universe.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

/// What a host object stands for, or the value itself.
Value plain(const Value& value) {
  const Object* object = value.as_object();
  if (object == nullptr) return value;
  return object->unwrapped().value_or(value);
}

Value bool_of(Args& args) {
  Value x = Value::boolean(false);
  args.unpack_positional({optional("x", x)});
  return Value::boolean(x.truth());
}

int base_of_prefix(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char letter = static_cast<char>(digits[1] | 0x20);
  return letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
}

std::optional<Value> parse_signed(std::string_view text, int base) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const int prefix = base_of_prefix(text);
  if (prefix != 10 && (base == 0 || base == prefix)) {
    text.remove_prefix(2);
    base = prefix;
  } else if (base == 0) {
    const bool zeros = text.find_first_not_of('0') == std::string_view::npos;
    if (text.size() > 1 && text[0] == '0' && !zeros) return std::nullopt;
    base = 10;
  }
  std::optional<Value> out = parse_int(text, base);
  if (out && negative) out = int_negate(*out);
  return out;
}

Value int_of_string(Args& args, std::string_view text, const Value& base) {
  std::int64_t radix = 10;
  if (!base.is_unbound()) {
    if (base.kind() != Kind::kInt) {
      args.fail(code::kType, fmt::format("for base, got {}, want int", base.type_name()));
    }
    radix = base.as_int().value_or(-1);
    if (radix != 0 && (radix < 2 || radix > 36)) {
      args.fail(code::kValue, "base must be an integer >= 2 && <= 36");
    }
  }
  std::optional<Value> out = parse_signed(text, static_cast<int>(radix));
  if (out) return std::move(*out);
  args.fail(code::kValue, fmt::format("invalid literal with base {}: {}", radix, text));
}

Value int_of(Args& args) {
  Value given = Value::unbound();
  Value base = Value::unbound();
  args.unpack({optional("x", given), optional("base", base)});
  if (given.is_unbound()) args.fail(code::kArgument, "missing argument for x");
  const Value x = plain(given);
  if (const auto text = x.as_string()) return int_of_string(args, *text, base);
  if (!base.is_unbound()) {
    args.fail(code::kType, "can't convert non-string with explicit base");
  }
  if (x.kind() == Kind::kInt) return x;
  if (const auto truth = x.as_bool()) return Value::integer(*truth ? 1 : 0);
  if (const auto real = x.as_float()) {
    if (std::isinf(*real)) args.fail(code::kValue, "cannot convert float infinity to integer");
    if (std::isnan(*real)) args.fail(code::kValue, "cannot convert float NaN to integer");
    return int_from_double(*real);
  }
  args.fail(code::kType, fmt::format("cannot convert {} to int", given.type_name()));
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

Value float_of_string(Args& args, std::string_view text) {
  if (text.empty()) args.fail(code::kValue, "empty string");
  std::string_view digits = text;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.remove_prefix(1);
  const std::string word = lower_ascii(digits);
  if (word == "inf" || word == "infinity") return Value::real(negative ? -INFINITY : INFINITY);
  if (word == "nan") return Value::real(NAN);
  double out = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  const bool digit = !word.empty() && (word[0] == '.' || (word[0] >= '0' && word[0] <= '9'));
  if (!digit || read.ptr != digits.data() + digits.size()) {
    args.fail(code::kValue, fmt::format("invalid float literal: {}", text));
  }
  if (read.ec == std::errc::result_out_of_range) {
    out = std::strtod(std::string(digits).c_str(), nullptr);
    if (std::isinf(out)) args.fail(code::kValue, "floating-point number too large");
  }
  return Value::real(negative ? -out : out);
}

Value float_from(Args& args) {
  Value given = Value::real(0);
  args.unpack_positional({optional("x", given)});
  const Value x = plain(given);
  if (x.kind() == Kind::kFloat) return x;
  if (const auto truth = x.as_bool()) return Value::real(*truth ? 1 : 0);
  if (const auto text = x.as_string()) return float_of_string(args, *text);
  if (x.kind() != Kind::kInt) {
    args.fail(code::kType, fmt::format("got {}, want number or string", given.type_name()));
  }
  const double out = int_to_double(x);
  if (std::isinf(out)) args.fail(code::kValue, "int too large to convert to float");
  return Value::real(out);
}

Value str_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  if (x.kind() == Kind::kString) return x;
  return make_string(x.text());
}

Value bytes_of(Args& args) {
  Value x;
  args.unpack({required("x", x)});
  if (x.kind() == Kind::kBytes) return x;
  if (const auto text = x.as_string()) return make_bytes(sanitize_utf8(*text));
  if (!is_iterable(x)) {
    args.fail(code::kType,
              fmt::format("got {}, want string, bytes, or iterable of ints", x.type_name()));
  }
  std::string out;
  Iteration iteration(x);
  for (Value item; iteration.next(item);) {
    const auto byte = item.as_int();
    if (item.kind() != Kind::kInt) {
      args.fail(code::kType,
                fmt::format("at index {}, got {}, want int", out.size(), item.type_name()));
    }
    if (!byte || *byte < 0 || *byte > 255) {
      args.fail(code::kValue,
                fmt::format("at index {}, {} out of range (want value in unsigned 8-bit range)",
                            out.size(), int_to_string(item)));
    }
    out.push_back(static_cast<char>(*byte));
  }
  return make_bytes(std::move(out));
}

Value list_of(Args& args) {
  std::optional<Iterable> items;
  args.unpack_positional({optional("iterable", items)});
  return Value::list(items ? items->value.elements() : std::vector<Value>());
}

Value tuple_of(Args& args) {
  std::optional<Iterable> items;
  args.unpack_positional({optional("iterable", items)});
  if (items && items->value.kind() == Kind::kTuple) return items->value;
  return Value::tuple(items ? items->value.elements() : std::vector<Value>());
}

Value set_of(Args& args) {
  std::optional<Iterable> items;
  args.unpack_positional({optional("iterable", items)});
  const Ref<Set> out = make<Set>();
  if (items) {
    Iteration iteration(items->value);
    for (Value item; iteration.next(item);) out->insert(item);
  }
  return Value::object(out);
}

Value dict_of(Args& args) {
  const Ref<Dict> out = make<Dict>();
  update_dict(*out, args);
  return Value::object(out);
}

}  // namespace

void update_dict(Dict& dict, const Args& args) {
  if (args.size() > 1) {
    args.fail(code::kArgument, fmt::format("got {} arguments, want at most 1", args.size()));
  }
  if (args.size() == 1) update_from(dict, args, args[0]);
  std::vector<Symbol> seen;
  for (const Keyword& keyword : args.keywords()) {
    if (std::find(seen.begin(), seen.end(), keyword.name) != seen.end()) {
      args.fail(code::kArgument, fmt::format("duplicate keyword arg: \"{}\"", keyword.name.text()));
    }
    seen.push_back(keyword.name);
    dict.mutable_table().set(Value::string(keyword.name.text()), keyword.value);
  }
}

void update_from(Dict& dict, const Args& args, const Value& source) {
  const Object* object = source.as_object();
  if (const auto items = object != nullptr ? object->mapping_items() : std::nullopt) {
    for (const auto& [key, value] : *items) dict.mutable_table().set(key, value);
    return;
  }
  if (!is_iterable(source)) {
    args.fail(code::kType, fmt::format("got {}, want iterable", source.type_name()));
  }
  Iteration iteration(source);
  std::size_t position = 0;
  for (Value item; iteration.next(item); ++position) {
    if (!is_iterable(item)) {
      args.fail(code::kType,
                fmt::format("dictionary update sequence element #{} is not iterable ({})", position,
                            item.type_name()));
    }
    const std::vector<Value> pair = item.elements();
    if (pair.size() != 2) {
      args.fail(code::kValue, fmt::format("dictionary update sequence element #{} has length {}, "
                                          "want 2",
                                          position, pair.size()));
    }
    dict.mutable_table().set(pair[0], pair[1]);
  }
}

void add_constructors(const AddName& add) {
  const auto def = [&add](const char* name, NativePointer fn) {
    add(name, NativeFunction::make(name, fn));
  };
  def("bool", bool_of);
  def("int", int_of);
  def("float", float_from);
  def("str", str_of);
  def("bytes", bytes_of);
  def("list", list_of);
  def("tuple", tuple_of);
  def("set", set_of);
  def("dict", dict_of);
}

}  // namespace misrule::star
