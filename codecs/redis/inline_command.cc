#include "codecs/redis/inline_command.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace misrule::codecs::redis {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

unsigned hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 16;
}

char unescaped(char c) {
  constexpr std::string_view kNames = "nrtba";
  constexpr std::string_view kMeant = "\n\r\t\b\a";
  const std::size_t at = kNames.find(c);
  return at == std::string_view::npos ? c : kMeant[at];
}

// One word that may contain quotes; `at` stands at its first byte and is moved behind it.
class QuotedWord {
 public:
  QuotedWord(ByteView line, std::size_t at) : line_(line), at_(at) {}

  std::optional<std::string> read();
  std::size_t end() const { return at_; }

 private:
  char peek(std::size_t ahead) const {
    return at_ + ahead < line_.size() ? line_[at_ + ahead] : '\0';
  }
  bool read_quoted(char quote);
  void read_escape();

  ByteView line_;
  std::size_t at_;
  std::string word_;
};

std::optional<std::string> QuotedWord::read() {
  while (at_ < line_.size() && !is_blank(line_[at_])) {
    const char c = line_[at_++];
    if (c != '"' && c != '\'') {
      word_.push_back(c);
    } else if (!read_quoted(c)) {
      return std::nullopt;
    }
  }
  return std::move(word_);
}

bool QuotedWord::read_quoted(char quote) {
  while (at_ < line_.size()) {
    const char c = line_[at_];
    if (c == quote) {
      ++at_;
      return at_ == line_.size() || is_blank(line_[at_]);
    }
    if (c == '\\' && quote == '"') {
      read_escape();
    } else if (c == '\\' && peek(1) == '\'') {
      word_.push_back('\'');
      at_ += 2;
    } else {
      word_.push_back(c);
      ++at_;
    }
  }
  return false;
}

void QuotedWord::read_escape() {
  const unsigned high = hex_digit(peek(2));
  const unsigned low = hex_digit(peek(3));
  if (peek(1) == 'x' && high < 16 && low < 16) {
    word_.push_back(static_cast<char>(static_cast<unsigned char>(high * 16 + low)));
    at_ += 4;
  } else if (at_ + 1 < line_.size()) {
    word_.push_back(unescaped(peek(1)));
    at_ += 2;
  } else {
    ++at_;
  }
}

}  // namespace

bool split_inline(ByteView line, std::vector<ByteView>& words, std::list<std::string>& storage) {
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return true;
    std::size_t end = at;
    while (end < line.size() && !is_blank(line[end]) && line[end] != '"' && line[end] != '\'') {
      ++end;
    }
    if (end == line.size() || is_blank(line[end])) {
      words.push_back(line.substr(at, end - at));
      at = end;
      continue;
    }
    QuotedWord quoted(line, at);
    std::optional<std::string> word = quoted.read();
    if (!word) return false;
    storage.push_back(*std::move(word));
    words.emplace_back(storage.back());
    at = quoted.end();
  }
}

}  // namespace misrule::codecs::redis
