#include "codecs/postgres/sql.h"

#include <algorithm>
#include <array>
#include <utility>

namespace misrule::codecs::postgres {

namespace {

using Kind = SqlToken::Kind;

bool needs_no_quotes(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void append_folded(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.append(text);
  for (std::size_t i = before; i < out.size(); ++i) out[i] = in_lower_case(out[i]);
}

void append_normal(std::string& out, const SqlToken& token) {
  if (token.kind == Kind::kQuotedName && token.text.size() > 2) {
    const std::string_view name = token.text.substr(1, token.text.size() - 2);
    out.append(needs_no_quotes(name) ? name : token.text);
  } else if (token.kind == Kind::kString) {
    out.append(token.text);
  } else {
    append_folded(out, token.text);
  }
}

/// The name that a token stands for, as the server looks it up.
std::string name_of(const SqlToken& token) {
  std::string name;
  if (token.kind != Kind::kQuotedName) {
    append_folded(name, token.text);
    return name;
  }
  for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
    name.push_back(token.text[i]);
    if (token.text[i] == '"') ++i;
  }
  return name;
}

bool is_name(const SqlToken& token) {
  return token.kind == Kind::kWord || token.kind == Kind::kQuotedName;
}

/// Knows when a semicolon is within a statement: in parentheses (rules), or in the body of a
/// function in SQL, BEGIN ATOMIC ... END.
class Nesting {
 public:
  void saw(const SqlToken& token) {
    if (token.is('(')) ++parentheses_;
    if (token.is(')') && parentheses_ > 0) --parentheses_;
    if (token.kind == Kind::kWord) saw_word(token);
  }
  bool outermost() const { return parentheses_ == 0 && blocks_ == 0; }

 private:
  void saw_word(const SqlToken& token) {
    if (words_++ == 0) creates_ = is_word(token, "create");
    if (!creates_) return;
    if (words_ <= kHeadWords && (is_word(token, "function") || is_word(token, "procedure"))) {
      has_body_ = true;
    }
    if (!has_body_ || parentheses_ > 0) return;
    if (is_word(token, "begin") || (blocks_ > 0 && is_word(token, "case"))) ++blocks_;
    if (blocks_ > 0 && is_word(token, "end")) --blocks_;
  }

  static constexpr std::size_t kHeadWords = 4;  // CREATE OR REPLACE FUNCTION
  std::size_t words_ = 0;
  std::size_t parentheses_ = 0;
  std::size_t blocks_ = 0;
  bool creates_ = false;
  bool has_body_ = false;
};

/// Cuts the next word off the front of a normal form; empty if none stands there.
std::string_view take_word(std::string_view& rest) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  std::size_t end = 0;
  while (end < rest.size() && ((rest[end] >= 'a' && rest[end] <= 'z') || rest[end] == '_')) ++end;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

StatementKind kind_of_end(StatementKind plain, std::string_view rest) {
  std::string_view word = take_word(rest);
  if (word == "work" || word == "transaction") word = take_word(rest);
  if (word == "prepared") return StatementKind::kOther;
  if (word == "to") return StatementKind::kRollbackTo;
  return plain;
}

struct FirstWord {
  std::string_view word;
  StatementKind kind;
};
constexpr std::array<FirstWord, 12> kFirstWords = {{
    {"begin", StatementKind::kBegin},
    {"start", StatementKind::kBegin},
    {"commit", StatementKind::kCommit},
    {"end", StatementKind::kCommit},
    {"rollback", StatementKind::kRollback},
    {"abort", StatementKind::kRollback},
    {"set", StatementKind::kSet},
    {"reset", StatementKind::kReset},
    {"prepare", StatementKind::kPrepare},
    {"execute", StatementKind::kExecute},
    {"deallocate", StatementKind::kDeallocate},
    {"discard", StatementKind::kDiscard},
}};

}  // namespace

std::string normal_form(std::string_view sql, Backslash backslash) {
  std::string out;
  out.reserve(sql.size());
  SqlLexer lexer(sql, backslash);
  SqlToken token;
  while (lexer.next(token)) {
    if (token.blank_before && !out.empty()) out.push_back(' ');
    append_normal(out, token);
  }
  while (out.ends_with(';') || out.ends_with(' ')) out.pop_back();
  return out;
}

StatementKind kind_of(std::string_view normal) {
  std::string_view rest = normal;
  const std::string_view first = take_word(rest);
  const auto* const found = std::ranges::find(kFirstWords, first, &FirstWord::word);
  if (found == kFirstWords.end()) return StatementKind::kOther;
  switch (found->kind) {
    case StatementKind::kCommit:
    case StatementKind::kRollback:
      return kind_of_end(found->kind, rest);
    case StatementKind::kPrepare:
      return take_word(rest) == "transaction" ? StatementKind::kPrepareTransaction
                                              : StatementKind::kPrepare;
    default:
      return found->kind;
  }
}

bool is_plain(std::string_view sql) {
  constexpr std::array<std::string_view, 4> kPlain = {"select", "insert", "update", "delete"};
  constexpr std::size_t kSize = 6;
  if (sql.size() <= kSize || sql[kSize] != ' ') return false;
  const auto is_first = [&](std::string_view word) {
    return std::ranges::equal(sql.substr(0, kSize), word, {}, in_lower_case);
  };
  if (!std::ranges::any_of(kPlain, is_first)) return false;
  const std::size_t last = sql.find_last_not_of("; \n");
  return sql.find(';') >= last;
}

std::vector<Extent> split_statements(std::string_view sql, Backslash backslash) {
  std::vector<Extent> statements;
  SqlLexer lexer(sql, backslash);
  Nesting nesting;
  std::optional<Extent> open;
  SqlToken token;
  while (lexer.next(token)) {
    if (token.is(';') && nesting.outermost()) {
      if (open) statements.push_back(*open);
      open.reset();
      nesting = {};
      continue;
    }
    nesting.saw(token);
    if (!open) open = Extent{.begin = token.begin};
    open->end = token.end();
  }
  if (open) statements.push_back(*open);
  return statements;
}

std::optional<PrepareStatement> read_prepare(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken token;
  if (!lexer.next(token) || !is_word(token, "prepare")) return std::nullopt;
  if (!lexer.next(token) || !is_name(token)) return std::nullopt;
  PrepareStatement prepare{.name = name_of(token)};
  std::size_t depth = 0;
  while (lexer.next(token)) {
    if (token.is('(')) ++depth;
    if (token.is(')') && depth > 0) --depth;
    if (depth > 0 || !is_word(token, "as")) continue;
    if (!lexer.next(token)) return std::nullopt;
    prepare.statement = sql.substr(token.begin);
    return prepare;
  }
  return std::nullopt;
}

std::optional<std::string> read_execute(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken token;
  if (!lexer.next(token) || !is_word(token, "execute")) return std::nullopt;
  if (!lexer.next(token) || !is_name(token)) return std::nullopt;
  return name_of(token);
}

std::optional<std::string> read_deallocate(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken token;
  if (!lexer.next(token) || !is_word(token, "deallocate") || !lexer.next(token)) {
    return std::nullopt;
  }
  if (SqlToken name; is_word(token, "prepare") && lexer.next(name)) token = name;
  if (!is_name(token)) return std::nullopt;
  if (is_word(token, "all")) return std::string();
  return name_of(token);
}

}  // namespace misrule::codecs::postgres
