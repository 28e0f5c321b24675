// "..." % values and "...".format(values).

#include "fmt/format.h"

#include <cmath>

#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/operators.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/lib/text_search.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

Value plain(const Value& value) {
  const Object* object = value.as_object();
  return object != nullptr ? object->unwrapped().value_or(value) : value;
}

std::string format_integer(char conversion, const Value& given) {
  Value number = plain(given);
  if (const auto real = number.as_float()) {
    if (!std::isfinite(*real)) {
      raise(code::kValue, fmt::format("%{} format requires integer: cannot convert float {} to "
                                      "integer",
                                      conversion, std::isnan(*real) ? "NaN" : "infinity"));
    }
    number = int_from_double(*real);
  }
  if (number.kind() != Kind::kInt) {
    raise(code::kType, fmt::format("%{} format requires integer: cannot convert {} to int",
                                   conversion, given.type_name()));
  }
  const char lower = static_cast<char>(conversion | 0x20);
  std::string out = int_to_string(number, lower == 'x' ? 16 : lower == 'o' ? 8 : 10);
  if (conversion == 'X') {
    for (char& c : out) {
      if (c >= 'a' && c <= 'f') c = static_cast<char>(c & ~0x20);
    }
  }
  return out;
}

std::string format_float(char conversion, const Value& given) {
  const auto number = plain(given).as_number();
  if (!number) {
    raise(code::kType,
          fmt::format("%{} format requires float, not {}", conversion, given.type_name()));
  }
  if (!std::isfinite(*number)) return float_to_string(*number);
  switch (conversion) {
    case 'e':
      return fmt::format("{:e}", *number);
    case 'E':
      return fmt::format("{:E}", *number);
    case 'f':
    case 'F':
      return fmt::format("{:f}", *number);
    default: {
      std::string out = float_to_string(*number);
      if (conversion == 'G') {
        for (char& c : out) c = c == 'e' ? 'E' : c;
      }
      return out;
    }
  }
}

std::string format_character(const Value& given) {
  const Value value = plain(given);
  if (const auto text = value.as_string()) {
    if (count_code_points(*text) == 1) return std::string(*text);
    raise(code::kValue, "%c format requires a single-character string");
  }
  const auto point = value.as_int();
  if (value.kind() != Kind::kInt) {
    raise(code::kType, fmt::format("%c format requires int or single-character string, not {}",
                                   given.type_name()));
  }
  if (!point || *point < 0 || *point > 0x10FFFF) {
    raise(code::kValue, fmt::format("%c format requires a valid Unicode code point, got {}",
                                    int_to_string(value)));
  }
  std::string out;
  append_utf8(out, static_cast<char32_t>(*point));
  return out;
}

/// The walk over a % format.
class PercentFormat {
 public:
  PercentFormat(std::string_view format, const Value& operand)
      : rest_(format), operand_(operand), tuple_(operand.as_tuple()) {}

  Value run() {
    while (true) {
      const std::size_t at = rest_.find('%');
      out_.text(rest_.substr(0, at));
      if (at == std::string_view::npos) break;
      rest_.remove_prefix(at + 1);
      conversion();
    }
    const std::size_t given = tuple_ != nullptr ? tuple_->size() : 1;
    if (used_ < given && operand_.as_dict() == nullptr) {
      raise(code::kValue, "too many arguments for format string");
    }
    return make_string(out_.take());
  }

 private:
  void conversion() {
    if (rest_.starts_with('%')) {
      rest_.remove_prefix(1);
      return out_.text("%");
    }
    const Value value = rest_.starts_with('(') ? keyed() : next();
    if (rest_.empty()) raise(code::kValue, "incomplete format");
    const char kind = rest_[0];
    rest_.remove_prefix(1);
    constexpr std::string_view kIntegers = "dioxX";
    constexpr std::string_view kFloats = "eEfFgG";
    if (kind == 's') return out_.plain(value);
    if (kind == 'r') return out_.repr(value);
    if (kind == 'c') return out_.text(format_character(value));
    if (kIntegers.find(kind) != std::string_view::npos) {
      return out_.text(format_integer(kind, value));
    }
    if (kFloats.find(kind) != std::string_view::npos) return out_.text(format_float(kind, value));
    raise({.code = code::kValue,
           .message = fmt::format("unknown conversion %{}", kind),
           .help =
               "conversions are %s %r %d %i %o %x %X %e %f %g %c %%, without width or precision"});
  }

  Value next() {
    const std::size_t given = tuple_ != nullptr ? tuple_->size() : 1;
    if (used_ >= given) raise(code::kValue, "not enough arguments for format string");
    const Value value = tuple_ != nullptr ? tuple_->items()[used_] : operand_;
    ++used_;
    return value;
  }

  Value keyed() {
    const std::size_t end = rest_.find(')');
    if (end == std::string_view::npos) raise(code::kValue, "incomplete format key");
    const Dict* dict = operand_.as_dict();
    if (dict == nullptr) raise(code::kType, "format requires a mapping");
    const std::string_view key = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const Value* found = dict->find(key);
    if (found == nullptr) raise(code::kValue, fmt::format("key not found: {}", key));
    return *found;
  }

  std::string_view rest_;
  const Value& operand_;
  const Tuple* tuple_;
  std::size_t used_ = 0;
  Writer out_;
};

/// The walk over a str.format() text.
class BraceFormat {
 public:
  explicit BraceFormat(Args& args) : args_(args), rest_(self_text(args)) {}

  Value run() {
    while (!rest_.empty()) {
      const std::size_t at = rest_.find_first_of("{}");
      out_.text(rest_.substr(0, at));
      if (at == std::string_view::npos) break;
      rest_.remove_prefix(at);
      if (rest_.starts_with("{{") || rest_.starts_with("}}")) {
        out_.text(rest_.substr(0, 1));
        rest_.remove_prefix(2);
      } else if (rest_[0] == '}') {
        args_.fail(code::kValue, "single '}' in format");
      } else {
        field();
      }
    }
    return make_string(out_.take());
  }

 private:
  void field() {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) args_.fail(code::kValue, "unmatched '{' in format");
    std::string_view inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (inside.find('{') != std::string_view::npos) {
      args_.fail(code::kValue, "nested replacement fields not supported");
    }
    std::string_view spec;
    const std::size_t colon = inside.find(':');
    const bool has_spec = colon != std::string_view::npos;
    if (has_spec) spec = inside.substr(colon + 1);
    inside = inside.substr(0, colon);
    std::string_view conversion = "s";
    if (const std::size_t bang = inside.find('!'); bang != std::string_view::npos) {
      conversion = inside.substr(bang + 1);
      inside = inside.substr(0, bang);
    }
    if (conversion != "s" && conversion != "r") {
      args_.fail(code::kValue, fmt::format("unknown conversion \"{}\"", conversion));
    }
    if (has_spec) {
      args_.fail(code::kValue,
                 fmt::format("format spec features not supported in replacement fields: {}", spec));
    }
    const Value value = argument(inside);
    if (conversion == "s") {
      out_.plain(value);
    } else {
      out_.repr(value);
    }
  }

  void number_by(bool automatic) {
    if (numbering_ == (automatic ? Numbering::kManual : Numbering::kAutomatic)) {
      const std::string_view manual = "manual field specification";
      const std::string_view by_itself = "automatic field numbering";
      args_.fail(code::kValue,
                 fmt::format("cannot switch from {} to {}", automatic ? manual : by_itself,
                             automatic ? by_itself : manual));
    }
    numbering_ = automatic ? Numbering::kAutomatic : Numbering::kManual;
  }

  Value argument(std::string_view name) {
    const bool digits = name.find_first_not_of("0123456789") == std::string_view::npos;
    if (name.empty() || digits) {
      number_by(name.empty());
      constexpr std::size_t kDigitsMax = 9;
      while (name.size() > 1 && name[0] == '0') name.remove_prefix(1);
      std::size_t index = name.empty() ? next_++ : 0;
      for (const char c : name.substr(0, kDigitsMax)) {
        index = index * 10 + static_cast<std::size_t>(c - '0');
      }
      if (index >= args_.size() || name.size() > kDigitsMax)
        args_.fail(code::kValue, "tuple index out of range");
      return args_[index];
    }
    if (const auto keyword = args_.find_keyword(name)) return args_.keyword(*keyword);
    if (name.find('.') != std::string_view::npos) {
      args_.fail(
          code::kValue,
          fmt::format("attribute syntax x.y is not supported in replacement fields: {}", name));
    }
    if (name.find('[') != std::string_view::npos) {
      args_.fail(
          code::kValue,
          fmt::format("element syntax a[i] is not supported in replacement fields: {}", name));
    }
    args_.fail(code::kValue, fmt::format("keyword {} not found", name));
  }

  enum class Numbering { kOpen, kManual, kAutomatic };
  Args& args_;
  std::string_view rest_;
  Numbering numbering_ = Numbering::kOpen;
  std::size_t next_ = 0;
  Writer out_;
};

}  // namespace

Value format_percent(std::string_view format, const Value& operand) {
  return PercentFormat(format, operand).run();
}

Value string_format(Args& args) { return BraceFormat(args).run(); }

}  // namespace misrule::star
