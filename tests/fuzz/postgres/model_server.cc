#include "tests/fuzz/postgres/model_server.h"

#include <cstddef>

#include <fmt/format.h>

#include "base/check.h"
#include "tests/codecs/postgres/wire.h"

namespace misrule::codecs::postgres {
namespace {

std::size_t number_at(std::string_view bytes, std::size_t at) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes.at(at + i));
  }
  return number;
}

/// Up to a zero, which is taken off with it.
std::string take_text(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  MISRULE_CHECK(end != std::string_view::npos);
  std::string text(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return text;
}

/// One column of type text.
std::string text_column() {
  using namespace std::string_view_literals;
  return wire::message('T', "\0\1a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"sv);
}

bool is_control(std::string_view statement) {
  return statement.starts_with("begin") || statement.starts_with("commit") ||
         statement.starts_with("ROLLBACK") || statement.starts_with("rollback");
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string key_in(std::string_view sql) {
  for (std::size_t at = sql.find('k'); at < sql.size(); at = sql.find('k', at + 1)) {
    const std::size_t end = sql.find_first_not_of("0123456789", at + 1);
    if (end != at + 1) return std::string(sql.substr(at, end - at));
  }
  return {};
}

std::string ModelPostgres::serve(std::string_view bytes) {
  unread_ += bytes;
  std::string answers;
  std::string_view rest = unread_;
  while (rest.size() >= 5) {
    const std::size_t size = number_at(rest, began_ ? 1 : 0) + (began_ ? 1 : 0);
    if (rest.size() < size) break;
    answers += began_ ? answer(rest.front(), rest.substr(5, size - 5)) : wire::welcome();
    if (!began_) states_ += 'I';
    began_ = true;
    rest.remove_prefix(size);
  }
  unread_ = std::string(rest);
  return answers;
}

std::string ModelPostgres::answer(char type, std::string_view body) {
  if (type == 'S') {
    skips_ = false;
    return ready();
  }
  if (skips_) return {};
  switch (type) {
    case 'Q':
      return run_all(body.substr(0, body.size() - 1)) + ready();
    case 'P':
      return parse(body);
    case 'B':
      return bind(body);
    case 'D':
      return describe(body);
    case 'E':
      return execute(body);
    case 'C':
      return wire::message('3');
    default:
      MISRULE_CHECK(type == 'H');
      return {};
  }
}

std::string ModelPostgres::ready() {
  states_ += state_;
  return wire::ready(state_);
}

std::string ModelPostgres::fail(std::string_view code, std::string_view text) {
  failed_ = true;
  if (state_ == 'T') state_ = 'E';
  return wire::error(code, text);
}

std::string ModelPostgres::run_all(std::string_view query) {
  std::string answers;
  failed_ = false;
  while (!query.empty() && !failed_) {
    const std::size_t end = query.find(';');
    answers += run(trimmed(query.substr(0, end)), true);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return answers;
}

bool ModelPostgres::refuses(std::string_view statement) const {
  return state_ == 'E' && (!is_control(statement) || statement.starts_with("begin"));
}

std::string ModelPostgres::run(std::string_view statement, bool describes) {
  const std::string key = key_in(statement);
  if (refuses(statement)) return fail("25P02", "aborted " + key);
  if (statement.find("misrule_fault_") != std::string_view::npos) {
    return fail("42703", fmt::format("column \"{}\" does not exist", statement.substr(7)));
  }
  // COMMIT of a failed transaction is none.
  const bool is_done = !(statement.starts_with("commit") && state_ == 'E');
  if (!key.empty() && is_done) done_.insert(key);
  if (is_control(statement)) {
    const bool begins = statement.starts_with("begin");
    const bool commits = statement.starts_with("commit") && state_ != 'E';
    state_ = begins ? 'T' : 'I';
    return wire::complete(begins ? "BEGIN" : (commits ? "COMMIT" : "ROLLBACK"));
  }
  const bool inserts = statement.starts_with("insert");
  return (describes ? text_column() : "") + wire::row(key) +
         wire::complete(inserts ? "INSERT 0 1" : "SELECT 1");
}

std::string ModelPostgres::parse(std::string_view body) {
  const std::string name = take_text(body);
  const std::string sql = take_text(body);
  const bool is_ours = sql.find("misrule_fault_") != std::string::npos;
  if (refuses(sql) || is_ours) {
    skips_ = true;
    return is_ours && state_ != 'E'
               ? fail("42703", fmt::format("column \"{}\" does not exist", sql.substr(7)))
               : fail("25P02", "aborted " + key_in(sql));
  }
  statements_[name] = sql;
  return wire::message('1');
}

std::string ModelPostgres::bind(std::string_view body) {
  const std::string portal = take_text(body);
  portals_[portal] = statements_.at(take_text(body));
  return wire::message('2');
}

std::string ModelPostgres::describe(std::string_view body) {
  const bool is_portal = body.front() == 'P';
  body.remove_prefix(1);
  const std::string name = take_text(body);
  const std::string& sql = is_portal ? portals_.at(name) : statements_.at(name);
  const std::string parameters = is_portal ? "" : wire::message('t', std::string_view("\0\0", 2));
  return parameters + (is_control(sql) ? wire::message('n') : text_column());
}

std::string ModelPostgres::execute(std::string_view body) {
  failed_ = false;
  std::string answers = run(portals_.at(take_text(body)), false);
  skips_ = failed_;
  return answers;
}

}  // namespace misrule::codecs::postgres
