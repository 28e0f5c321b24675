#include "proxy/rules/sqlstates.h"

#include <algorithm>
#include <array>

#include "proxy/rules/words.h"

namespace misrule::rules {
namespace {

struct Condition {
  std::string_view code;
  std::string_view name;
};

constexpr std::array<Condition, 21> kConditions = {{
    {"40001", "serialization_failure"},
    {"40P01", "deadlock_detected"},
    {"23505", "unique_violation"},
    {"23503", "foreign_key_violation"},
    {"23502", "not_null_violation"},
    {"23514", "check_violation"},
    {"55P03", "lock_not_available"},
    {"57014", "query_canceled"},
    {"25P03", "idle_in_transaction_session_timeout"},
    {"57P01", "admin_shutdown"},
    {"57P02", "crash_shutdown"},
    {"57P03", "cannot_connect_now"},
    {"53300", "too_many_connections"},
    {"53100", "disk_full"},
    {"53200", "out_of_memory"},
    {"25006", "read_only_sql_transaction"},
    {"42P01", "undefined_table"},
    {"42501", "insufficient_privilege"},
    {"XX001", "data_corrupted"},
    {"0A000", "feature_not_supported"},
    {"XX000", "internal_error"},
}};

constexpr std::array<std::string_view, 5> kFatal = {"25P03", "57P01", "57P02", "57P03", "53300"};

std::string with_blanks(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

bool is_code(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

SqlState described(std::string_view code, std::string_view message) {
  const std::string_view code_class = code.substr(0, 2);
  return {.code = std::string(code),
          .message = std::string(message),
          .is_error = code_class != "00" && code_class != "01" && code_class != "02",
          .is_fatal = std::ranges::find(kFatal, code) != kFatal.end()};
}

}  // namespace

std::optional<SqlState> find_sqlstate(std::string_view code_or_name) {
  const std::string code = in_capitals(code_or_name);
  for (const Condition& condition : kConditions) {
    if (code == condition.code || equal_without_case(code_or_name, condition.name)) {
      return described(condition.code, with_blanks(condition.name));
    }
  }
  if (!is_code(code)) return std::nullopt;
  return described(code, "injected error");
}

std::string sqlstate_for_message(std::string_view message) {
  const std::string wanted = in_capitals(message);
  for (const Condition& condition : kConditions) {
    const std::string phrase = in_capitals(with_blanks(condition.name));
    if (wanted.find(phrase) != std::string::npos) return std::string(condition.code);
  }
  return "XX000";
}

}  // namespace misrule::rules
