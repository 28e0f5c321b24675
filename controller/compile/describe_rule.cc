// A rule as people say it: what it meets -> what happens then.

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

std::string http_text(const model::HttpMatch& match) {
  const std::string path = match.has_path() ? match.path() : "*";
  return match.has_method() ? match.method() + " " + path
                            : (match.has_path() ? path : std::string("any request"));
}

std::string redis_text(const model::RedisMatch& match) {
  const std::string command = match.has_command() ? match.command() : "any command";
  return match.has_key() ? fmt::format("{} of {}", command, match.key()) : command;
}

std::string match_text(const Rule& rule) {
  switch (rule.match_case()) {
    case Rule::kPostgres:
      return rule.postgres().has_query() ? rule.postgres().query() : "any statement";
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

std::string action_text(const Rule& rule) {
  switch (rule.action_case()) {
    case Rule::kDeny:
      return rule.deny().error();
    case Rule::kDelay:
      return fmt::format("delay {}{}", duration_text(rule.delay().duration_us()),
                         rule.delay().side() == "reply" ? " of the reply" : "");
    case Rule::kError:
      return error_text(rule.error());
    case Rule::kDrop:
      if (rule.drop().side() == "reply") return "lost reply";
      return fmt::format("drop the {}", rule.drop().has_mode() ? rule.drop().mode() : "connection");
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
