#include "codecs/http/json_scan.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace misrule::codecs::http {
namespace {

constexpr int kDepthMax = 200;

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0U | code >> 6U);
  } else if (code < 0x10000) {
    byte(0xe0U | code >> 12U);
    byte(0x80U | (code >> 6U & 0x3fU));
  } else {
    byte(0xf0U | code >> 18U);
    byte(0x80U | (code >> 12U & 0x3fU));
    byte(0x80U | (code >> 6U & 0x3fU));
  }
  byte(0x80U | (code & 0x3fU));
}

std::uint32_t hex_at(std::string_view text, std::size_t at) {
  std::uint32_t code = 0;
  if (at + 4 <= text.size()) std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
  return code;
}

/// What stands between the quotes, with its escapes resolved.
std::string unescaped(std::string_view raw) {
  constexpr std::string_view kShort = "bfnrt";
  constexpr std::string_view kMeant = "\b\f\n\r\t";
  std::string out;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '\\' || at + 1 == raw.size()) {
      out.push_back(raw[at]);
      continue;
    }
    const char escape = raw[++at];
    if (escape != 'u') {
      const std::size_t known = kShort.find(escape);
      out.push_back(known == std::string_view::npos ? escape : kMeant[known]);
      continue;
    }
    std::uint32_t code = hex_at(raw, at + 1);
    at += 4;
    if (code >= 0xd800 && code < 0xdc00 && raw.substr(at + 1, 2) == "\\u") {
      code = 0x10000 + ((code - 0xd800) << 10U) + (hex_at(raw, at + 3) & 0x3ffU);
      at += 6;
    }
    append_utf8(out, code);
  }
  return out;
}

class Scanner {
 public:
  Scanner(std::string_view text, const JsonPath& path) : text_(text), path_(path) {}

  bool document() {
    blanks();
    if (!value(0)) return false;
    blanks();
    return at_ == text_.size();
  }
  std::vector<JsonSpan> take() { return std::move(found_); }

 private:
  static constexpr std::size_t kElsewhere = ~std::size_t{0};

  // `step`: how much of the path leads here; kElsewhere: it leads past.
  bool value(std::size_t step) {
    const std::size_t begin = at_;
    if (++depth_ > kDepthMax || !any_value(step)) return false;
    --depth_;
    if (step == path_.size()) found_.push_back({.begin = begin, .end = at_});
    return true;
  }

  bool any_value(std::size_t step) {
    switch (at_ < text_.size() ? text_[at_] : '\0') {
      case '{':
        return object(step);
      case '[':
        return array(step);
      case '"':
        return string().has_value();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool object(std::size_t step) {
    ++at_;
    blanks();
    if (take_char('}')) return true;
    do {
      blanks();
      const auto key = string();
      blanks();
      if (!key.has_value() || !take_char(':')) return false;
      blanks();
      if (!value(inside(step, *key))) return false;
      blanks();
    } while (take_char(','));
    return take_char('}');
  }

  bool array(std::size_t step) {
    ++at_;
    blanks();
    if (take_char(']')) return true;
    std::size_t index = 0;
    do {
      blanks();
      if (!value(inside(step, index++))) return false;
      blanks();
    } while (take_char(','));
    return take_char(']');
  }

  std::size_t inside(std::size_t step, std::string_view raw_key) const {
    if (step >= path_.size()) return kElsewhere;
    const JsonStep& wanted = path_[step];
    if (wanted.kind == JsonStep::Kind::kAll) return step + 1;
    if (wanted.kind != JsonStep::Kind::kKey) return kElsewhere;
    const bool escaped = raw_key.find('\\') != std::string_view::npos;
    const bool same = escaped ? unescaped(raw_key) == wanted.key : raw_key == wanted.key;
    return same ? step + 1 : kElsewhere;
  }

  std::size_t inside(std::size_t step, std::size_t index) const {
    if (step >= path_.size()) return kElsewhere;
    const JsonStep& wanted = path_[step];
    const bool same = wanted.kind == JsonStep::Kind::kAll ||
                      (wanted.kind == JsonStep::Kind::kIndex && wanted.index == index);
    return same ? step + 1 : kElsewhere;
  }

  /// What stands between the quotes.
  std::optional<std::string_view> string() {
    if (!take_char('"')) return std::nullopt;
    const std::size_t begin = at_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return std::nullopt;
      if (text_[at_] == '\\') ++at_;
    }
    return std::nullopt;
  }

  bool number() {
    const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    const std::string_view digits = text_.substr(at_, end - at_);
    double parsed = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
    at_ = end;
    const bool whole = read.ptr == digits.data() + digits.size() && !digits.empty();
    return whole && read.ec != std::errc::invalid_argument;
  }

  bool word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool take_char(char c) {
    const bool there = at_ < text_.size() && text_[at_] == c;
    if (there) ++at_;
    return there;
  }

  void blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string_view text_;
  const JsonPath& path_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<JsonSpan> found_;
};

}  // namespace

std::optional<std::vector<JsonSpan>> find_json(std::string_view document, const JsonPath& path) {
  Scanner scanner(document, path);
  if (!scanner.document()) return std::nullopt;
  return scanner.take();
}

}  // namespace misrule::codecs::http
