// JSON text to values: json.decode and star::decode_json. The grammar is RFC 8259's; control
// characters in strings are tolerated, as log lines have them.

#include <charconv>

#include <fmt/format.h>

#include "spec/starlark/containers.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/json.h"
#include "spec/starlark/lib/json_module.h"

namespace misrule::star {
namespace {

constexpr std::size_t kDepthMax = 500;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80U | (point >> shift & 0x3fU)));
  };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xc0U | point >> 6U));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xe0U | point >> 12U));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0U | point >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Result<Value> read_document() {
    MISRULE_TRY(Value value, read_value(0));
    skip_space();
    if (at_ < text_.size())
      return error(fmt::format("unexpected character {} after value", shown()));
    return value;
  }

 private:
  std::unexpected<Error> error(const std::string& what) const {
    return fail(Code::kInvalid, fmt::format("at offset {}, {}", at_, what));
  }

  std::string shown() const { return fmt::format("'{}'", text_.substr(at_, 1)); }
  bool ended() const { return at_ >= text_.size(); }
  char peek() const { return ended() ? '\0' : text_[at_]; }

  void skip_space() {
    while (!ended() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  Result<Value> read_value(std::size_t depth) {
    skip_space();
    if (ended()) return error("unexpected end of file");
    if (depth > kDepthMax) return error(fmt::format("nested deeper than {}", kDepthMax));
    const char c = peek();
    if (c == '{') return read_object(depth);
    if (c == '[') return read_array(depth);
    if (c == '"') {
      MISRULE_TRY(std::string text, read_string());
      return make_string(std::move(text));
    }
    if (c == '-' || is_digit(c)) return read_number();
    return read_word();
  }

  Result<Value> read_word() {
    for (const auto& [word, value] : {std::pair{std::string_view("true"), Value::boolean(true)},
                                      std::pair{std::string_view("false"), Value::boolean(false)},
                                      std::pair{std::string_view("null"), Value::none()}}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    return error("unexpected character " + shown());
  }

  Result<Value> read_number() {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    const std::size_t digits = at_;
    while (is_digit(peek())) ++at_;
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      while (is_digit(peek())) ++at_;
    }
    const std::string_view number = text_.substr(start, at_ - start);
    const bool padded = text_[digits] == '0' && digits + 1 < at_ && is_digit(text_[digits + 1]);
    if (padded || !is_digit(text_.substr(digits, 1).empty() ? ' ' : text_[digits])) {
      return invalid_number(start, number);
    }
    return whole ? read_int(start, number) : read_float(start, number);
  }

  std::unexpected<Error> invalid_number(std::size_t start, std::string_view number) {
    at_ = start;
    return error(fmt::format("invalid number: {}", number));
  }

  Result<Value> read_int(std::size_t start, std::string_view number) {
    std::int64_t small = 0;
    const auto [end, problem] =
        std::from_chars(number.data(), number.data() + number.size(), small);
    if (problem == std::errc{}) return Value::integer(small);
    const bool negative = number.starts_with('-');
    const auto large = parse_int(negative ? number.substr(1) : number, 10);
    if (!large) return invalid_number(start, number);
    return negative ? int_negate(*large) : *large;
  }

  Result<Value> read_float(std::size_t start, std::string_view number) {
    double value = 0;
    const auto [end, problem] =
        std::from_chars(number.data(), number.data() + number.size(), value);
    const bool consumed = end == number.data() + number.size();
    // An underflow leaves 0; an overflow is no number that JSON could give back.
    const bool large = problem == std::errc::result_out_of_range && !number.contains("e-") &&
                       !number.contains("E-");
    if (!consumed || large || problem == std::errc::invalid_argument) {
      return invalid_number(start, number);
    }
    return Value::real(value);
  }

  Result<std::string> read_string() {
    const std::size_t start = at_++;
    std::string out;
    for (;;) {
      const std::size_t stop = text_.find_first_of("\"\\", at_);
      if (stop == std::string_view::npos) {
        at_ = start;
        return error("unclosed string literal");
      }
      out.append(text_.substr(at_, stop - at_));
      at_ = stop + 1;
      if (text_[stop] == '"') return out;
      MISRULE_TRY_VOID(read_escape(out));
    }
  }

  Status read_escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (ended()) return error("unclosed string literal");
    const char c = text_[at_];
    if (c == 'u') return read_unicode_escape(out);
    const std::size_t index = kNames.find(c);
    if (index == std::string_view::npos) return error(fmt::format("invalid escape \\{}", c));
    ++at_;
    out.push_back(kMeant[index]);
    return {};
  }

  Status read_unicode_escape(std::string& out) {
    MISRULE_TRY(std::uint32_t point, read_hex());
    const bool high = point >= 0xd800 && point < 0xdc00;
    if (high && text_.substr(at_, 2) == "\\u") {
      const std::size_t before = at_++;
      MISRULE_TRY(const std::uint32_t low, read_hex());
      if (low >= 0xdc00 && low < 0xe000) {
        append_utf8(out, 0x10000U + ((point - 0xd800U) << 10U) + (low - 0xdc00U));
        return {};
      }
      at_ = before;
    }
    constexpr std::uint32_t kReplacement = 0xfffd;
    append_utf8(out, point >= 0xd800 && point < 0xe000 ? kReplacement : point);
    return {};
  }

  // Stands on the 'u'.
  Result<std::uint32_t> read_hex() {
    const std::string_view digits = text_.substr(at_ + 1, 4);
    std::uint32_t value = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || problem != std::errc{} || end != digits.data() + 4) {
      return error("invalid \\u escape");
    }
    at_ += 5;
    return value;
  }

  Result<Value> read_array(std::size_t depth) {
    ++at_;
    std::vector<Value> items;
    skip_space();
    if (peek() == ']') {
      ++at_;
      return Value::list();
    }
    for (;;) {
      MISRULE_TRY(Value item, read_value(depth + 1));
      items.push_back(std::move(item));
      skip_space();
      if (ended()) return error("unexpected end of file");
      const char c = text_[at_];
      if (c != ',' && c != ']') return error(fmt::format("got {}, want ',' or ']'", shown()));
      ++at_;
      if (c == ']') return Value::list(std::move(items));
    }
  }

  Result<Value> read_object(std::size_t depth) {
    ++at_;
    Value object = Value::dict();
    skip_space();
    if (peek() == '}') {
      ++at_;
      return object;
    }
    for (;;) {
      MISRULE_TRY_VOID(read_member(*object.as_dict(), depth));
      skip_space();
      if (ended()) return error("unexpected end of file");
      const char c = text_[at_];
      if (c != ',' && c != '}') {
        return error(fmt::format("in object, got {}, want ',' or '}}'", shown()));
      }
      ++at_;
      if (c == '}') return object;
    }
  }

  Status read_member(Dict& object, std::size_t depth) {
    skip_space();
    if (ended()) return error("unexpected end of file");
    if (peek() != '"') {
      MISRULE_TRY(const Value key, read_value(depth + 1));
      return error(fmt::format("got {} for object key, want string", key.type_name()));
    }
    MISRULE_TRY(std::string key, read_string());
    skip_space();
    if (ended()) return error("unexpected end of file");
    if (peek() != ':') return error(fmt::format("after object key, got {}, want ':' ", shown()));
    ++at_;
    MISRULE_TRY(Value value, read_value(depth + 1));
    object.set(make_string(std::move(key)), std::move(value));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Value> decode_json(std::string_view text) { return JsonReader(text).read_document(); }

Value json_decode(Args& args) {
  std::string_view text;
  Value otherwise = Value::unbound();
  args.unpack({required("x", text), optional("default", otherwise)});
  Result<Value> decoded = decode_json(text);
  if (decoded) return *std::move(decoded);
  if (!otherwise.is_unbound()) return otherwise;
  args.fail(code::kValue, decoded.error().what);
}

}  // namespace misrule::star
