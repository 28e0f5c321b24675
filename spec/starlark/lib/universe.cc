// Functions of the universe that look at one value: type, repr, getattr, hash; and fail and print.

#include "spec/starlark/lib/universe.h"

#include <cmath>

#include "fmt/format.h"
#include "spec/starlark/args.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/function.h"
#include "spec/starlark/syntax/unicode.h"
#include "spec/starlark/thread.h"

namespace misrule::star {
namespace {

Value abs_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  if (x.kind() == Kind::kInt) return int_sign(x) < 0 ? int_negate(x) : x;
  if (const auto real = x.as_float()) return Value::real(std::fabs(*real));
  args.fail(code::kType, fmt::format("got {}, want int or float", x.type_name()));
}

Value type_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  return Value::string(x.type_name());
}

Value repr_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  return make_string(x.repr());
}

Value dir_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  std::vector<Value> names;
  for (const Symbol symbol : attribute_names(x)) names.push_back(Value::string(symbol.text()));
  return Value::list(std::move(names));
}

Value getattr_of(Args& args) {
  Value x;
  std::string_view name;
  Value fallback = Value::unbound();
  args.unpack_positional({required("x", x), required("name", name), optional("default", fallback)});
  const Symbol symbol(name);
  if (fallback.is_unbound()) {
    std::optional<Value> found = x.attribute(symbol);
    if (found) return std::move(*found);
    try {
      raise_no_attribute(x, symbol);
    } catch (EvalError& error) {
      error.diagnostic().message = "getattr: " + error.diagnostic().message;
      throw;
    }
  }
  try {
    return x.attribute(symbol).value_or(fallback);
  } catch (const EvalError&) {
    return fallback;
  }
}

Value hasattr_of(Args& args) {
  Value x;
  std::string_view name;
  args.unpack_positional({required("x", x), required("name", name)});
  for (const Symbol symbol : attribute_names(x)) {
    if (symbol.text() == name) return Value::boolean(true);
  }
  return Value::boolean(false);
}

// Java's String.hashCode, over UTF-16.
Value hash_string(std::string_view text) {
  std::uint32_t hash = 0;
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    text.remove_prefix(next.size);
    const auto point = static_cast<std::uint32_t>(next.point);
    if (point >= 0x10000) {
      hash = hash * 31 + (0xD800 + ((point - 0x10000) >> 10));
      hash = hash * 31 + (0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      hash = hash * 31 + point;
    }
  }
  return Value::integer(static_cast<std::int32_t>(hash));
}

Value hash_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  if (const auto text = x.as_string()) return hash_string(*text);
  if (const auto bytes = x.as_bytes()) {
    std::uint32_t hash = 2166136261U;
    for (const char c : *bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return Value::integer(hash);
  }
  args.fail(code::kType, fmt::format("got {}, want string or bytes", x.type_name()));
}

std::string join_texts(Args& args) {
  std::string_view separator = " ";
  for (std::size_t k = 0; k < args.keywords().size(); ++k) {
    const auto text = args.keyword(k).as_string();
    if (args.keyword_name(k) != "sep") {
      args.fail_at(args.keyword_span(k), code::kArgument,
                   fmt::format("unexpected keyword argument \"{}\"", args.keyword_name(k)),
                   "it takes: values, sep");
    }
    if (!text) {
      args.fail(code::kType, fmt::format("for parameter \"sep\": got {}, want string",
                                         args.keyword(k).type_name()));
    }
    separator = *text;
  }
  Writer out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out.text(separator);
    out.plain(args[i]);
  }
  return out.take();
}

Value fail_of(Args& args) {
  const std::string text = join_texts(args);
  raise(code::kFail, fmt::format("fail: {}", text));
}

Value print_of(Args& args) {
  const std::string text = join_texts(args);
  args.thread().print(text);
  return {};
}

Value chr_of(Args& args) {
  std::int64_t point = 0;
  args.unpack({required("i", point)});
  if (point < 0) {
    args.fail(code::kValue, fmt::format("Unicode code point {} out of range (<0)", point));
  }
  if (point > 0x10FFFF) {
    args.fail(code::kValue,
              fmt::format("Unicode code point U+{:X} out of range (>0x10FFFF)", point));
  }
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  std::string out;
  append_utf8(out, surrogate ? kReplacement : static_cast<char32_t>(point));
  return make_string(std::move(out));
}

Value ord_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  if (const auto bytes = x.as_bytes()) {
    if (bytes->size() == 1) return Value::integer(static_cast<unsigned char>((*bytes)[0]));
    args.fail(code::kValue, fmt::format("bytes has length {}, want 1", bytes->size()));
  }
  const auto text = x.as_string();
  if (!text) {
    args.fail(code::kType, fmt::format("got {}, want string or bytes", x.type_name()));
  }
  const std::size_t count = count_code_points(*text);
  if (count != 1) {
    args.fail(code::kValue, fmt::format("string encodes {} Unicode code points, want 1", count));
  }
  return Value::integer(static_cast<std::int64_t>(decode_utf8(*text).point));
}

Value struct_of(Args& args) {
  if (args.size() > 0) args.fail(code::kArgument, "unexpected positional arguments");
  std::vector<Struct::Field> fields;
  for (const Keyword& keyword : args.keywords()) fields.emplace_back(keyword.name, keyword.value);
  return Value::of(new Struct(std::move(fields)));
}

}  // namespace

void add_universe(const AddName& add) {
  const auto def = [&add](const char* name, NativePointer fn) {
    add(name, NativeFunction::make(name, fn));
  };
  add("None", Value::none());
  add("True", Value::boolean(true));
  add("False", Value::boolean(false));
  def("abs", abs_of);
  def("type", type_of);
  def("repr", repr_of);
  def("dir", dir_of);
  def("getattr", getattr_of);
  def("hasattr", hasattr_of);
  def("hash", hash_of);
  def("fail", fail_of);
  def("print", print_of);
  def("chr", chr_of);
  def("ord", ord_of);
  def("struct", struct_of);
  add_constructors(add);
  add_sequence_functions(add);
  add("json", json_namespace());
}

}  // namespace misrule::star
