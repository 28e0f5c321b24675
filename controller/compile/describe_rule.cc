// A rule as people say it: what it meets -> what happens then.

#include <map>

#include "controller/compile/rules_file.h"
#include "spec/model/link_text.h"

namespace misrule::controller {
namespace {

using model::Rule;

std::string destination(const model::Target& target) {
  return target.has_interface() ? target.service() + "." + target.interface() : target.service();
}

std::string syscall_text(const model::SyscallMatch& match) {
  std::string text = match.family();
  if (match.has_path()) text += " " + match.path();
  if (match.has_fd_kind()) text += fmt::format(" on a {}", match.fd_kind());
  if (match.has_to()) text += " to " + destination(match.to());
  return text;
}

/// "a=b", for every pair; in the order of their names.
template <class Map>
std::string pairs_text(std::string_view what, const Map& map) {
  std::map<std::string, std::string> sorted(map.begin(), map.end());
  std::string text;
  for (const auto& [key, value] : sorted) text += fmt::format(" {} {}={}", what, key, value);
  return text;
}

std::string postgres_text(const model::PostgresMatch& match) {
  std::string text = match.has_query() ? match.query() : "any statement";
  if (match.moment() == "startup") text = "startup";
  if (match.moment() == "idle") text = "an idle session";
  if (match.has_statement()) text += " of kind " + match.statement();
  if (match.has_table()) text += " on table " + match.table();
  if (match.has_schema()) text += " in schema " + match.schema();
  if (match.has_column()) text += " with column " + match.column();
  if (match.has_query_regex()) text += fmt::format(" like /{}/", match.query_regex());
  if (match.has_prepared()) text += " prepared as " + match.prepared();
  return text + pairs_text("with parameter", match.params());
}

std::string http_text(const model::HttpMatch& match) {
  const std::string path = match.has_path() ? match.path() : "*";
  std::string text = match.has_method() ? match.method() + " " + path
                                        : (match.has_path() ? path : std::string("any request"));
  if (match.has_host()) text += " to " + match.host();
  text += pairs_text("with header", match.headers()) + pairs_text("with", match.query());
  if (match.has_body()) text += " with body " + match.body();
  if (match.has_reply_status()) text += " answered with " + match.reply_status();
  if (match.has_websocket()) text += ": WebSocket message " + match.websocket();
  if (match.has_sse()) text += ": event " + match.sse();
  return text;
}

std::string redis_text(const model::RedisMatch& match) {
  if (match.has_channel()) return "a message in " + match.channel();
  std::string text = match.has_command() ? match.command() : "any command";
  if (match.has_key()) text += " of " + match.key();
  if (match.has_db()) text += " in database " + match.db();
  return text + pairs_text("with argument", match.args());
}

std::string match_text(const Rule& rule) {
  switch (rule.match_case()) {
    case Rule::kPostgres:
      return postgres_text(rule.postgres());
    case Rule::kHttp:
      return http_text(rule.http());
    case Rule::kRedis:
      return redis_text(rule.redis());
    case Rule::kTcp:
      return "any connection";
    case Rule::kSyscall:
      return syscall_text(rule.syscall());
    case Rule::MATCH_NOT_SET:
      break;
  }
  return "any traffic";
}

std::string duration_text(std::uint64_t us) {
  if (us % 1'000'000 == 0) return fmt::format("{} s", us / 1'000'000);
  if (us % 1000 == 0) return fmt::format("{} ms", us / 1000);
  return fmt::format("{} us", us);
}

std::string error_text(const model::ErrorReply& error) {
  std::vector<std::string> parts;
  if (error.has_status()) parts.push_back(fmt::format("{}", error.status()));
  if (error.has_code()) parts.push_back(error.code());
  if (error.has_message()) parts.push_back(error.message());
  if (error.mode() == "mask") parts.emplace_back("though it was done");
  return parts.empty() ? "error" : fmt::format("{}", fmt::join(parts, " "));
}

std::string respond_text(const model::Respond& respond) {
  if (respond.has_status()) return fmt::format("respond {}", respond.status());
  if (respond.has_tag()) return "respond " + respond.tag();
  if (respond.columns_size() == 0) return respond.has_value() ? "respond a value" : "respond";
  return fmt::format("respond {} row{}", respond.rows_size(), respond.rows_size() == 1 ? "" : "s");
}

std::string_view reply_or_request(const std::string& side) {
  return side == "request" ? "the request" : "the reply";
}

std::string action_text(const Rule& rule) {
  switch (rule.action_case()) {
    case Rule::kDeny:
      return rule.deny().error();
    case Rule::kDelay:
      return fmt::format("delay {}{}", duration_text(rule.delay().duration_us()),
                         rule.delay().side() == "reply" ? " of the reply" : "");
    case Rule::kError:
      return error_text(rule.error());
    case Rule::kRespond:
      return respond_text(rule.respond());
    case Rule::kRewrite:
      return "rewrite the reply";
    case Rule::kDuplicate:
      return "duplicate";
    case Rule::kCorrupt:
      return fmt::format("corrupt {}", reply_or_request(rule.corrupt().side()));
    case Rule::kTruncate:
      return fmt::format("truncate {} after {} bytes", reply_or_request(rule.truncate().side()),
                         rule.truncate().bytes());
    case Rule::kHold:
      return rule.hold().side() == "reply" ? "hold the reply" : "hold";
    case Rule::kDrop:
      if (rule.drop().reset()) return "reset the connection";
      if (rule.drop().side() == "reply") return "lost reply";
      if (rule.drop().has_mode()) return fmt::format("drop the {}", rule.drop().mode());
      return rule.redis().has_channel() ? "drop the message" : "drop the connection";
    case Rule::kLink:
      return model::link_text(rule.link());
    case Rule::ACTION_NOT_SET:
      break;
  }
  return "recorded";
}

/// Line breaks and control characters would end the line that the description stands in.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

}  // namespace

std::string describe_rule(const Rule& rule) {
  return one_line(match_text(rule) + " -> " + action_text(rule));
}

}  // namespace misrule::controller
