#include "codecs/postgres/sqlstate.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "codecs/postgres/sqlstate_table.h"

namespace misrule::codecs::postgres {

namespace {

/// What the server says where it does not say the condition's name.
struct Phrase {
  std::string_view text;
  std::string_view code;
};
constexpr auto kPhrases = std::to_array<Phrase>({
    {"cached plan must not change result type", "0A000"},
    {"violates not-null constraint", "23502"},
    {"violates foreign key constraint", "23503"},
    {"duplicate key", "23505"},
    {"violates check constraint", "23514"},
    {"read-only transaction", "25006"},
    {"current transaction is aborted", "25P02"},
    {"idle-in-transaction timeout", "25P03"},
    {"password authentication failed", "28P01"},
    {"could not serialize access", "40001"},
    {"deadlock", "40P01"},
    {"permission denied", "42501"},
    {"no space left on device", "53100"},
    {"too many clients", "53300"},
    {"could not obtain lock", "55P03"},
    {"lock timeout", "55P03"},
    {"canceling statement due to lock timeout", "55P03"},
    {"canceling statement", "57014"},
    {"statement timeout", "57014"},
    {"administrator command", "57P01"},
    {"the database system is starting up", "57P03"},
    {"the database system is shutting down", "57P03"},
    {"the database system is in recovery mode", "57P03"},
});

constexpr auto kFatal = std::to_array<std::string_view>(
    {"25P03", "53300", "57P01", "57P02", "57P03", "57P04", "57P05"});

char plain(char c) {
  if (c == '_') return ' ';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string plain_text(std::string_view text) {
  std::string words(text);
  std::ranges::transform(words, words.begin(), plain);
  return words;
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/// Both in plain letters.
bool contains_words(std::string_view text, std::string_view words) {
  for (std::size_t at = text.find(words); at != std::string_view::npos;
       at = text.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    const bool begins = at == 0 || !is_letter(text[at - 1]);
    if (begins && (end == text.size() || !is_letter(text[end]))) return true;
  }
  return false;
}

}  // namespace

std::optional<SqlCondition> find_condition(std::string_view code_or_name) {
  const std::string wanted = plain_text(code_or_name);
  std::optional<SqlCondition> found;
  for (const SqlCondition& condition : sql_conditions()) {
    const bool fits = wanted == plain_text(condition.code) || wanted == plain_text(condition.name);
    if (fits && (!found || (!is_error(found->code) && is_error(condition.code)))) {
      found = condition;
    }
  }
  return found;
}

std::optional<SqlCondition> condition_in_message(std::string_view message) {
  const std::string text = plain_text(message);
  std::string_view code;
  std::size_t longest = 0;
  const auto consider = [&](std::string_view words, std::string_view candidate) {
    if (words.size() <= longest || !is_error(candidate) || !contains_words(text, words)) return;
    longest = words.size();
    code = candidate;
  };
  for (const SqlCondition& condition : sql_conditions()) {
    consider(plain_text(condition.name), condition.code);
  }
  for (const Phrase& phrase : kPhrases) consider(phrase.text, phrase.code);
  return code.empty() ? std::nullopt : find_condition(code);
}

std::string did_you_mean_condition(std::string_view name) {
  std::vector<std::string_view> names;
  for (const SqlCondition& condition : sql_conditions()) names.push_back(condition.name);
  return did_you_mean(name, names);
}

bool is_sqlstate(std::string_view code) {
  return code.size() == 5 && std::ranges::all_of(code, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

bool is_error(std::string_view code) {
  const std::string_view group = code.substr(0, 2);
  return group != "00" && group != "01" && group != "02";
}

bool ends_connection(std::string_view code) {
  return std::ranges::find(kFatal, code) != kFatal.end();
}

}  // namespace misrule::codecs::postgres
