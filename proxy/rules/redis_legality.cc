#include "proxy/rules/redis_legality.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codecs/redis/command_table.h"
#include "codecs/redis/errors.h"
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
  return kind != CommandKind::kPlain && kind != CommandKind::kExec && kind != CommandKind::kWatch;
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

}  // namespace

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?\\") != std::string_view::npos;
}

Status check_redis_match(const model::RedisMatch& match) {
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
  return command == nullptr ? Status() : check_possible(error, *command);
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
  if (rule.has_hold()) return {};
  return fail(Code::kUnsupported, "this action is not there for redis yet");
}

}  // namespace misrule::rules
