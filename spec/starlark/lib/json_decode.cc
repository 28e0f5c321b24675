// JSON text to values.

#include <charconv>
#include <cmath>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/json.h"
#include "spec/starlark/lib/json_text.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

/// Thrown where the text is wrong; decode_json() makes an Error of it.
struct JsonError {
  std::string what;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Value read() {
    Value out = value();
    skip_blanks();
    if (at_ < text_.size()) fail(fmt::format("unexpected character {} after value", shown()));
    return out;
  }

 private:
  static constexpr unsigned kDepthMax = 500;

  [[noreturn]] void fail(const std::string& what) const {
    throw JsonError{fmt::format("at offset {}, {}", at_, what)};
  }

  std::string shown() const {
    if (at_ >= text_.size()) return "end of file";
    if (text_[at_] == '\'') return R"('\'')";
    std::string out = "'";
    const Decoded point = decode_utf8(text_.substr(at_));
    append_utf8(out, point.point);
    return out + "'";
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }

  char peek() {
    skip_blanks();
    if (at_ >= text_.size()) fail("unexpected end of file");
    return text_[at_];
  }

  Value value() {
    if (++depth_ > kDepthMax) fail("nesting is too deep");
    const char c = peek();
    Value out;
    if (c == '"') {
      out = make_string(string());
    } else if (c == '{') {
      out = object();
    } else if (c == '[') {
      out = array();
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      out = number();
    } else {
      out = word();
    }
    --depth_;
    return out;
  }

  Value word() {
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view known : {"true", "false", "null"}) {
      if (!rest.starts_with(known)) continue;
      at_ += known.size();
      return known == "null" ? Value() : Value::boolean(known == "true");
    }
    fail(fmt::format("unexpected character {}", shown()));
  }

  Value array() {
    ++at_;
    std::vector<Value> items;
    if (peek() == ']') {
      ++at_;
      return Value::list();
    }
    while (true) {
      items.push_back(value());
      const char c = peek();
      if (c != ',' && c != ']') fail(fmt::format("got {}, want ',' or ']'", shown()));
      ++at_;
      if (c == ']') return Value::list(std::move(items));
    }
  }

  Value object() {
    ++at_;
    const Ref<Dict> out = make<Dict>();
    if (peek() == '}') {
      ++at_;
      return Value::object(out);
    }
    while (true) {
      if (peek() != '"') {
        const Value key = value();
        fail(fmt::format("got {} for object key, want string", key.type_name()));
      }
      Value key = make_string(string());
      if (peek() != ':') fail(fmt::format("after object key, got {}, want ':' ", shown()));
      ++at_;
      out->mutable_table().set(key, value());
      const char c = peek();
      if (c != ',' && c != '}') fail(fmt::format("in object, got {}, want ',' or '}}'", shown()));
      ++at_;
      if (c == '}') return Value::object(out);
    }
  }

  Value number() {
    const std::size_t start = at_;
    if (text_[at_] == '-') ++at_;
    while (at_ < text_.size() &&
           std::string_view("0123456789+-.eE").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
    const std::string_view written = text_.substr(start, at_ - start);
    std::string_view digits = written;
    if (digits.starts_with('-')) digits.remove_prefix(1);
    const bool leading_zero =
        digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
    const bool bad = digits.empty() || digits[0] < '0' || digits[0] > '9' || leading_zero;
    if (!bad && digits.find_first_of(".eE") == std::string_view::npos) {
      if (auto out = parse_int(digits, 10)) {
        return written[0] == '-' ? int_negate(*out) : std::move(*out);
      }
    } else if (!bad) {
      double real = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), real);
      const bool all = read.ptr == digits.data() + digits.size();
      if (read.ec == std::errc::result_out_of_range) {
        real = std::strtod(std::string(digits).c_str(), nullptr);
      }
      if (all && std::isfinite(real)) return Value::real(written[0] == '-' ? -real : real);
    }
    at_ = start;
    fail(fmt::format("invalid number: {}", written));
  }

  std::string string() {
    const std::size_t start = at_++;
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        escape(out);
      } else {
        out.push_back(text_[at_++]);
      }
    }
    if (at_ >= text_.size()) {
      at_ = start;
      fail("unclosed string literal");
    }
    ++at_;
    return is_valid_utf8(out) ? out : sanitize_utf8(out);
  }

  void escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kControls = "\"\\/\b\f\n\r\t";
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == 'u') {
      char32_t point = unit();
      const bool high = point >= 0xD800 && point < 0xDC00;
      if (high && text_.substr(at_).starts_with("\\u")) {
        const std::size_t before = at_;
        const char32_t low = unit();
        if (low >= 0xDC00 && low < 0xE000) {
          point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        } else {
          at_ = before;
        }
      }
      const bool surrogate = point >= 0xD800 && point < 0xE000;
      return append_utf8(out, surrogate ? kReplacement : point);
    }
    const std::size_t named = kNames.find(c);
    if (c == '\0' || named == std::string_view::npos) {
      fail(fmt::format("invalid character '\\{}' in string literal: invalid escape", c));
    }
    out.push_back(kControls[named]);
    at_ += 2;
  }

  /// \uXXXX at the cursor.
  char32_t unit() {
    unsigned value = 0;
    const std::string_view digits = text_.substr(at_ + 2, 4);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < 4 || read.ptr != digits.data() + 4) fail("invalid \\u escape");
    at_ += 6;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned depth_ = 0;
};

}  // namespace

Result<Value> decode_json(std::string_view text) {
  try {
    return JsonReader(text).read();
  } catch (const JsonError& error) {
    return misrule::fail(Code::kInvalid, error.what);
  }
}

}  // namespace misrule::star
