#include "proxy/rules/redis_legality.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codecs/redis/command_table.h"
#include "codecs/redis/errors.h"
#include "codecs/redis/page.h"
#include "codecs/redis/reply_shape.h"
#include "proxy/rules/reply_plan.h"
#include "proxy/rules/words.h"

namespace misrule::rules {
namespace {

namespace redis = codecs::redis;
using redis::CommandKind;
using redis::CommandTraits;

// The one command that the match is about; nullptr if there may be several, or none is known.
const CommandTraits* one_command(const model::RedisMatch& match) {
  if (!match.has_command() || has_wildcard(match.command())) return nullptr;
  const CommandTraits* const command = redis::find_command(in_capitals(match.command()));
  return command == nullptr || command->is_container() ? nullptr : command;
}

Status check_command(const std::string& command) {
  if (command.empty()) {
    return fail(Code::kInvalid,
                "command=\"\" can never match: give a name such as \"SET\", or leave command= out "
                "for every command",
                "command");
  }
  if (has_wildcard(command)) return {};
  const std::string capitals = in_capitals(command);
  const std::size_t blank = capitals.find(' ');
  if (blank == std::string::npos) return {};
  const std::string word = capitals.substr(0, blank);
  const CommandTraits* const container = redis::find_command(word);
  const bool has_parts = container != nullptr && container->is_container() &&
                         capitals.find(' ', blank + 1) == std::string::npos;
  if (has_parts) return {};
  return fail(Code::kInvalid,
              fmt::format("command=\"{}\" can never match: it is compared with the command's name "
                          "alone, \"{}\"; key= says which keys are meant",
                          command, word),
              "command");
}

// What cannot fail on a server, or would leave the client with another connection than the server.
bool is_never_refused(CommandKind kind) {
  return kind == CommandKind::kQuit || kind == CommandKind::kDiscard || kind == CommandKind::kReset;
}

bool changes_connection(CommandKind kind) {
  return kind != CommandKind::kPlain && kind != CommandKind::kExec && kind != CommandKind::kWatch &&
         kind != CommandKind::kAddresses;
}

// Why the answer to this command is not to be made up, changed, doubled or damaged; empty: it may.
std::string_view why_not(codecs::Verb::Kind kind, const CommandTraits& command,
                         const codecs::Value& value) {
  using Kind = codecs::Verb::Kind;
  const bool makes_up = kind == Kind::kRespond || kind == Kind::kRewrite;
  if (command.kind == CommandKind::kExec) {
    if (makes_up && value.is_null()) return {};
    return "EXEC answers what its commands do: name one of those, or make EXEC's answer None, "
           "which is what it is when a watched key has changed";
  }
  if (changes_connection(command.kind)) {
    return "it changes the connection itself, so the client would have another one than the server";
  }
  if (kind != Kind::kDuplicate) return {};
  if (redis::can_refuse("UNBLOCKED", &command, false)) return "it waits, and then waits again";
  return command.name == "AUTH" ? "it changes the connection itself" : std::string_view();
}

codecs::Verb::Kind kind_of(const model::Rule& rule) {
  using Kind = codecs::Verb::Kind;
  if (rule.has_respond()) return Kind::kRespond;
  if (rule.has_rewrite()) return Kind::kRewrite;
  if (rule.has_duplicate()) return Kind::kDuplicate;
  return rule.has_corrupt() ? Kind::kCorrupt : Kind::kTruncate;
}

Status check_possible(const model::ErrorReply& error, const CommandTraits& command) {
  if (error.mode() == "mask") {
    if (!changes_connection(command.kind)) return {};
    return fail(Code::kInvalid,
                fmt::format("{} changes the connection itself: a success that is told as a failure "
                            "would leave the client with another connection than the server's",
                            command.name),
                "mode");
  }
  if (is_never_refused(command.kind)) {
    return fail(Code::kInvalid,
                fmt::format("a redis server does not refuse {}; drop() ends the connection in the "
                            "place of its answer",
                            command.name),
                "command");
  }
  if (redis::can_refuse(error.code(), &command, false)) return {};
  return fail(Code::kInvalid,
              fmt::format("a redis server never answers {} with {}", command.name, error.code()),
              "code");
}

Status check_text(const model::ErrorReply& error) {
  if (error.has_status() || error.has_body()) {
    return fail(Code::kInvalid,
                "status= and body= are for http; a redis error has message= and code= (its first "
                "word, such as \"READONLY\")",
                error.has_status() ? "status" : "body");
  }
  if (error.message().find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return fail(Code::kInvalid, "message= is one line in redis: it contains a line break or a NUL",
                "message");
  }
  return {};
}

Status fill_in_code(model::ErrorReply& error) {
  if (!error.has_code()) {
    const std::string_view leading = redis::leading_code(error.message());
    error.set_code(leading.empty() ? "ERR" : std::string(leading));
    return {};
  }
  const std::string code = in_capitals(error.code());
  if (redis::leading_code(code) != code) {
    return fail(Code::kInvalid,
                fmt::format("code=\"{}\" is no word that a redis error begins with, such as "
                            "\"READONLY\" or \"OOM\"",
                            error.code()),
                "code");
  }
  error.set_code(code);
  return {};
}

Status check_has_text(const model::ErrorReply& error) {
  const redis::RealError* const known = redis::find_error(error.code());
  const std::string_view message = error.message();
  const bool said = !message.empty() && message != error.code();
  if (said || (known != nullptr && !known->text.empty())) return {};
  if (known != nullptr) {
    return fail(Code::kInvalid,
                fmt::format("what a server says behind {} depends on the request: give "
                            "message=\"{} ...\"",
                            error.code(), error.code()),
                "code");
  }
  return fail(Code::kInvalid,
              fmt::format("code=\"{}\" is not known, so message= must say the text; known: {}",
                          error.code(), fmt::join(redis::error_codes(), ", ")),
              "code");
}

constexpr std::string_view kMaxClients = "max number of clients reached";
constexpr std::uint64_t kTruncateMax = 131'072;

Status check_at_connect(const model::Rule& rule) {
  const model::RedisMatch& match = rule.redis();
  const bool narrows =
      match.has_command() || match.has_key() || match.args_size() != 0 || match.has_db();
  if (!narrows && rule.error().mode() != "mask") return {};
  return fail(Code::kInvalid,
              fmt::format("\"{}\" is what a server says when a client connects, before it asks for "
                          "anything: leave command=, key=, args=, db= and mode= out",
                          kMaxClients),
              "message");
}

// args={1: "7*"} and db="0" as far as they can be wrong.
Status check_details(const model::RedisMatch& match) {
  for (const auto& [at, pattern] : match.args()) {
    const bool is_number = !at.empty() && at.size() < 6 && at.front() != '0' &&
                           at.find_first_not_of("0123456789") == std::string::npos;
    if (is_number) continue;
    return fail(Code::kInvalid,
                fmt::format("args= has \"{}\": arguments are counted from 1, behind the command's "
                            "name",
                            at),
                "args");
  }
  if (!match.has_db() || match.db().find_first_not_of("0123456789*?") == std::string::npos) {
    return {};
  }
  return fail(Code::kInvalid,
              fmt::format("db=\"{}\" can never match: databases have numbers", match.db()), "db");
}

// What is published: not asked for, so nothing can refuse it or stand in its place.
Status check_channel(const model::Rule& rule) {
  const model::RedisMatch& match = rule.redis();
  if (match.has_command() || match.has_key() || match.has_db()) {
    return fail(Code::kInvalid,
                "channel= is about what is published to the client, which belongs to no command: "
                "leave command=, key= and db= out; args={1: ...} is the message",
                "channel");
  }
  for (const auto& [at, pattern] : match.args()) {
    if (at != "1") return fail(Code::kInvalid, "a published message is args={1: ...}", "args");
  }
  if (rule.has_error() || rule.has_respond()) {
    return fail(Code::kInvalid,
                "nobody asked for what is published, so nothing can be answered in its place: "
                "drop(), delay(), duplicate(), rewrite(), corrupt(), truncate() or hold()",
                "channel");
  }
  if (rule.drop().mode() == "request" || rule.delay().side() == "request" ||
      rule.corrupt().side() == "request" || rule.truncate().side() == "request") {
    return fail(Code::kInvalid, "what is published has no request", "channel");
  }
  return {};
}

Status check_fields(const model::Rule& rule) {
  const model::Respond& respond = rule.respond();
  const model::Rewrite& rewrite = rule.rewrite();
  const bool of_others =
      respond.columns_size() + respond.rows_size() + respond.headers_size() > 0 ||
      respond.has_tag() || respond.has_status() || respond.has_body() ||
      rewrite.columns_size() + rewrite.body_size() + rewrite.headers_size() > 0 ||
      rewrite.has_status() || rewrite.has_decode();
  const bool wants_value = rule.has_respond() || rule.has_rewrite();
  const bool has_value = respond.has_value() || rewrite.has_value();
  if (!of_others && has_value == wants_value) return {};
  return fail(
      Code::kInvalid,
      "of a redis reply there is value=, which says what it is: None, a number, a string, a "
      "list, a dict",
      "value");
}

// {"cursor": 0} and the like change what SCAN answers.
bool edits_page(const codecs::Value& value, const CommandTraits& command) {
  const auto* const edits = std::get_if<codecs::ValueMap>(&value.held);
  return edits != nullptr && redis::shape_of(command.name, {}) == redis::ReplyShape::kPage &&
         std::ranges::all_of(*edits,
                             [](const auto& edit) { return redis::is_page_edit(edit.first); });
}

Status check_value(const model::Rule& rule, const CommandTraits& command,
                   const codecs::Value& value) {
  if (!rule.has_respond() && !rule.has_rewrite()) return {};
  const redis::ReplyShape shape = redis::shape_of(command.name, {});
  if (redis::can_hold(shape, value) || (rule.has_rewrite() && edits_page(value, command)))
    return {};
  const std::string_view edits =
      rule.has_rewrite() && shape == redis::ReplyShape::kPage
          ? ", or a dict of some of \"cursor\", \"keys\", \"missing\", \"repeat\""
          : "";
  return fail(Code::kInvalid,
              fmt::format("a redis server answers {} with {}{}: a client's library may take the "
                          "connection for broken",
                          command.name, redis::words_for(shape), edits),
              "value");
}

}  // namespace

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?\\") != std::string_view::npos;
}

Status check_redis_match(const model::Rule& rule) {
  const model::RedisMatch& match = rule.redis();
  if (match.has_channel()) return check_channel(rule);
  MISRULE_TRY_VOID(check_details(match));
  if (match.has_command()) MISRULE_TRY_VOID(check_command(match.command()));
  if (match.has_key() && match.key().empty()) {
    return fail(Code::kInvalid,
                "key=\"\" matches the empty key alone: give a glob such as \"user:*\", or leave "
                "key= out",
                "key");
  }
  const CommandTraits* const command = one_command(match);
  if (!match.has_key() || command == nullptr) return {};
  if (command->places != redis::KeyPlaces::kNone) return {};
  return fail(
      Code::kInvalid,
      fmt::format("key=\"{}\" can never match: {} names no key", match.key(), command->name),
      "key");
}

Status legalise_redis_error(model::Rule& rule) {
  model::ErrorReply& error = *rule.mutable_error();
  MISRULE_TRY_VOID(check_text(error));
  MISRULE_TRY_VOID(fill_in_code(error));
  MISRULE_TRY_VOID(check_has_text(error));
  const CommandTraits* const command = one_command(rule.redis());
  if (is_told_at_connect(rule)) return check_at_connect(rule);
  return command == nullptr ? Status() : check_possible(error, *command);
}

bool is_told_at_connect(const model::Rule& rule) {
  return rule.has_error() && (!rule.has_redis() || !rule.redis().has_channel()) &&
         rule.error().message().ends_with(kMaxClients);
}

bool redis_can_take(const codecs::Verb& verb, const codecs::Facts& facts) {
  using Kind = codecs::Verb::Kind;
  if (facts.phase != codecs::Phase::kRequest || verb.plan == nullptr) return true;
  if (verb.kind == Kind::kDuplicate && facts.state == "transaction") return false;
  const CommandTraits* const command = redis::find_command(facts.operation);
  if (command == nullptr) return true;
  if (!why_not(verb.kind, *command, verb.plan->value).empty()) return false;
  const bool makes_up = verb.kind == Kind::kRespond || verb.kind == Kind::kRewrite;
  return !makes_up || redis::can_hold(redis::shape_of(command->name, {}), verb.plan->value) ||
         edits_page(verb.plan->value, *command);
}

bool redis_can_answer(const codecs::Verb& verb, const codecs::Facts& facts, bool is_named) {
  const CommandTraits* const command = redis::find_command(facts.operation);
  if (command == nullptr) return true;
  const bool masks = verb.kind == codecs::Verb::Kind::kMask;
  if (masks ? changes_connection(command->kind) : is_never_refused(command->kind)) return false;
  // A replica refuses the writes of a transaction, and EXEC then for another reason.
  const redis::RealError* const error = redis::find_error(verb.error.code);
  const bool all = error == nullptr || error->refuses == redis::Refuses::kAny;
  if (command->kind == CommandKind::kExec && !is_named && !all) return false;
  return redis::can_refuse(verb.error.code, command, facts.state == "transaction");
}

Status legalise_redis_action(model::Rule& rule) {
  MISRULE_TRY_VOID(check_fields(rule));
  if (rule.has_hold()) return {};
  if (rule.has_truncate() && rule.truncate().bytes() > kTruncateMax) {
    return fail(
        Code::kInvalid,
        fmt::format("bytes={}: of a redis reply at most {} bytes are kept back to be counted",
                    rule.truncate().bytes(), kTruncateMax),
        "bytes");
  }
  const CommandTraits* const command = one_command(rule.redis());
  if (command == nullptr) return {};
  const auto plan = reply_plan(rule);
  const std::string_view why = why_not(kind_of(rule), *command, plan->value);
  if (!why.empty()) {
    return fail(Code::kInvalid, fmt::format("{} is not for that: {}", command->name, why),
                "command");
  }
  return check_value(rule, *command, plan->value);
}

}  // namespace misrule::rules
