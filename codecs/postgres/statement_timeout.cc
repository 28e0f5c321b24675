#include "codecs/postgres/statement_timeout.h"

#include <array>
#include <charconv>
#include <chrono>

#include "codecs/postgres/sql_lexer.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::string_view kName = "statement_timeout";

struct Unit {
  std::string_view name;
  Duration one;
};
constexpr std::array<Unit, 7> kUnits = {{
    {"", std::chrono::milliseconds(1)},
    {"us", std::chrono::microseconds(1)},
    {"ms", std::chrono::milliseconds(1)},
    {"s", std::chrono::seconds(1)},
    {"min", std::chrono::minutes(1)},
    {"h", std::chrono::hours(1)},
    {"d", std::chrono::days(1)},
}};
/// The server's own bound: as many milliseconds as an int holds.
constexpr Duration kMax = std::chrono::milliseconds(0x7fffffff);

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\'')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\'')) text.remove_suffix(1);
  return text;
}

/// `-c name=value`, `-cname=value` and `--name=value` of a startup packet's options, dashes or
/// underscores alike.
std::optional<Duration> timeout_of_options(std::string_view options) {
  std::optional<Duration> found;
  while (!options.empty()) {
    const std::size_t end = std::min(options.find(' '), options.size());
    std::string_view word = options.substr(0, end);
    options.remove_prefix(std::min(end + 1, options.size()));
    for (const std::string_view prefix : {"-c", "--"}) {
      if (word.starts_with(prefix)) word.remove_prefix(prefix.size());
    }
    const std::size_t equals = word.find('=');
    if (equals != kName.size()) continue;
    std::string name(word.substr(0, equals));
    if (name[9] == '-') name[9] = '_';
    if (name == kName) found = parse_timeout(word.substr(equals + 1));
  }
  return found;
}

}  // namespace

std::optional<Duration> parse_timeout(std::string_view value) {
  const std::string_view text = trimmed(value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    const double nanoseconds = number * static_cast<double>(known.one.count());
    if (nanoseconds > static_cast<double>(kMax.count())) return std::nullopt;
    return Duration(static_cast<Duration::rep>(nanoseconds));
  }
  return std::nullopt;
}

void StatementTimeout::start(const std::vector<std::pair<std::string, std::string>>& parameters) {
  for (const auto& [name, value] : parameters) {
    std::optional<Duration> found;
    if (name == kName) found = parse_timeout(value);
    if (name == "options") found = timeout_of_options(value);
    if (found) default_ = session_ = *found;
  }
}

void StatementTimeout::carried_out(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken token;
  if (!lexer.next(token)) return;
  const bool sets = is_word(token, "set");
  if (!lexer.next(token)) return;
  const bool is_local = is_word(token, "local");
  if ((is_local || is_word(token, "session")) && !lexer.next(token)) return;
  if (!sets) {  // RESET statement_timeout, RESET ALL, DISCARD ALL
    if (is_word(token, kName) || is_word(token, "all")) assign(default_, false);
    return;
  }
  if (!is_word(token, kName) || !lexer.next(token)) return;
  if (!token.is('=') && !is_word(token, "to")) return;
  if (!lexer.next(token)) return;
  const auto value = is_word(token, "default") ? default_ : parse_timeout(token.text);
  if (value) assign(*value, is_local);
}

void StatementTimeout::assign(Duration value, bool is_local) {
  if (is_local) {
    local_ = value;
    return;
  }
  if (!before_transaction_) before_transaction_ = session_;
  session_ = value;
  local_.reset();
}

void StatementTimeout::transaction_ended(bool committed) {
  if (!committed && before_transaction_) session_ = *before_transaction_;
  before_transaction_.reset();
  local_.reset();
}

}  // namespace misrule::codecs::postgres
