#include "proxy/rules/detail_match.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "codecs/http/path.h"
#include "spec/model/rules.pb.h"

namespace misrule::rules {
namespace {

using codecs::Detail;

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_case_sensitive(false);
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

class Matches {
 public:
  void add(bool said, Detail what, const std::string& pattern, GlobCase how) {
    if (said) add_of({}, what, pattern, how);
  }
  template <class Map>
  void add_all(const Map& by_key, Detail what, GlobCase how) {
    for (const auto& [key, pattern] : by_key) add_of(key, what, pattern, how);
  }
  void add_regex(const std::string& regex) {
    found_.push_back({.what = Detail::kText,
                      .pattern = std::make_shared<const re2::RE2>(regex, regex_options())});
  }
  std::vector<DetailMatch> take() { return std::move(found_); }

 private:
  void add_of(const std::string& key, Detail what, const std::string& pattern, GlobCase how) {
    found_.push_back({.what = what, .key = key, .pattern = Glob(pattern, how)});
  }
  std::vector<DetailMatch> found_;
};

void add_postgres(const model::PostgresMatch& match, Matches& out) {
  out.add(match.has_prepared(), Detail::kPrepared, match.prepared(), GlobCase::kSensitive);
  out.add_all(match.params(), Detail::kParameter, GlobCase::kSensitive);
  out.add(match.has_statement(), Detail::kStatement, match.statement(), GlobCase::kInsensitive);
  out.add(match.has_table(), Detail::kTable, match.table(), GlobCase::kInsensitive);
  out.add(match.has_schema(), Detail::kSchema, match.schema(), GlobCase::kInsensitive);
  out.add(match.has_column(), Detail::kColumn, match.column(), GlobCase::kInsensitive);
  if (match.has_query_regex()) out.add_regex(match.query_regex());
}

void add_http(const model::HttpMatch& match, Matches& out) {
  const bool raw = codecs::http::has_encoded_byte(match.path());
  out.add(raw, Detail::kRawPath, codecs::http::with_capital_digits(match.path()),
          GlobCase::kSensitive);
  out.add(match.has_host(), Detail::kHost, match.host(), GlobCase::kInsensitive);
  out.add_all(match.headers(), Detail::kHeader, GlobCase::kSensitive);
  out.add_all(match.query(), Detail::kQueryParameter, GlobCase::kSensitive);
  out.add(match.has_reply_status(), Detail::kReplyStatus, match.reply_status(),
          GlobCase::kSensitive);
  out.add(match.has_websocket(), Detail::kMessage, match.websocket(), GlobCase::kSensitive);
  out.add(match.has_sse(), Detail::kMessage, match.sse(), GlobCase::kSensitive);
  out.add(match.has_direction(), Detail::kDirection, match.direction(), GlobCase::kSensitive);
  out.add(match.has_body(), Detail::kBody, match.body(), GlobCase::kSensitive);
}

void add_redis(const model::RedisMatch& match, Matches& out) {
  out.add(match.has_db(), Detail::kSelectedDb, match.db(), GlobCase::kSensitive);
  out.add_all(match.args(), Detail::kArgument, GlobCase::kSensitive);
}

}  // namespace

bool DetailMatch::wants(const codecs::Facts& facts) const {
  if (facts.details == nullptr) return false;
  return facts.details->any(what, key, [this](std::string_view value) {
    if (const Glob* glob = std::get_if<Glob>(&pattern)) return glob->matches(value);
    const auto& regex = *std::get<std::shared_ptr<const re2::RE2>>(pattern);
    return re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), regex);
  });
}

std::string DetailMatch::keyword() const {
  constexpr std::string_view kNames[] = {
      "statement", "table",     "schema",    "column",       "prepared",     "params",
      "host",      "headers",   "query",     "request_body", "reply_status", "args",
      "db",        "websocket", "direction", "query_regex",  "path"};
  const std::string_view name = kNames[static_cast<std::size_t>(what)];
  return key.empty() ? fmt::format("{}=", name) : fmt::format("{}[{}]", name, key);
}

std::vector<DetailMatch> detail_matches(const model::Rule& rule) {
  Matches matches;
  if (rule.has_postgres()) add_postgres(rule.postgres(), matches);
  if (rule.has_http()) add_http(rule.http(), matches);
  if (rule.has_redis()) add_redis(rule.redis(), matches);
  return matches.take();
}

codecs::Phase phase_of(const model::Rule& rule) {
  using codecs::Phase;
  if (rule.postgres().moment() == "startup") return Phase::kStartup;
  if (rule.postgres().moment() == "idle") return Phase::kIdle;
  if (rule.http().has_websocket()) return Phase::kWebSocket;
  if (rule.http().has_sse()) return Phase::kSse;
  if (rule.http().has_reply_status()) return Phase::kReply;
  return rule.redis().has_channel() ? Phase::kPush : Phase::kRequest;
}

Status check_regex(std::string_view regex) {
  const re2::RE2 parsed(re2::StringPiece(regex.data(), regex.size()), regex_options());
  if (parsed.ok()) return {};
  return fail(Code::kInvalid,
              fmt::format("query_regex=\"{}\" is no regular expression: {}", regex, parsed.error()),
              "query_regex");
}

}  // namespace misrule::rules
