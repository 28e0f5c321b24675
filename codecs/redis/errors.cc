#include "codecs/redis/errors.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace misrule::codecs::redis {
namespace {

constexpr std::array kErrors = std::to_array<RealError>({
    {"ERR", "injected error"},
    {"OOM", "command not allowed when used memory > 'maxmemory'.", Refuses::kGrowing},
    {"READONLY", "You can't write against a read only replica.", Refuses::kWrites},
    {"LOADING", "Redis is loading the dataset in memory"},
    {"BUSY", "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."},
    {"MASTERDOWN", "Link with MASTER is down and replica-serve-stale-data is set to 'no'."},
    {"NOREPLICAS", "Not enough good replicas to write.", Refuses::kWrites},
    {"MISCONF",
     "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
     "Commands that may modify the data set are disabled, because this instance is configured to "
     "report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). "
     "Please check the Redis logs for details about the RDB error.",
     Refuses::kWrites},
    {"NOAUTH", "Authentication required."},
    {"WRONGPASS", "invalid username-password pair or user is disabled.", Refuses::kNamed,
     "|AUTH|HELLO|"},
    {"NOPERM", "this user has no permissions to run the '{}' command"},
    {"NOPROTO", "unsupported protocol version", Refuses::kNamed, "|HELLO|"},
    {"WRONGTYPE", "Operation against a key holding the wrong kind of value"},
    {"NOSCRIPT", "No matching script. Please use EVAL.", Refuses::kNamed, "|EVALSHA|EVALSHA_RO|"},
    {"BUSYKEY", "Target key name already exists.", Refuses::kNamed, "|RESTORE|RESTORE-ASKING|"},
    {"BUSYGROUP", "Consumer Group name already exists", Refuses::kNamed, "|XGROUP CREATE|"},
    {"NOGROUP", ""},
    {"NOTBUSY", "No scripts in execution right now.", Refuses::kNamed,
     "|SCRIPT KILL|FUNCTION KILL|"},
    {"UNBLOCKED",
     "force unblock from blocking operation, instance state changed (master -> replica?)",
     Refuses::kNamed,
     "|BLPOP|BRPOP|BRPOPLPUSH|BLMOVE|BLMPOP|BZPOPMIN|BZPOPMAX|BZMPOP|XREAD|XREADGROUP|WAIT|"},
    {"CLUSTERDOWN", "The cluster is down"},
    {"CROSSSLOT", "Keys in request don't hash to the same slot"},
    {"TRYAGAIN", "Multiple keys request during rehashing of slot"},
    {"MOVED", ""},
    {"ASK", ""},
    {"EXECABORT", "Transaction discarded because of previous errors.", Refuses::kNamed, "|EXEC|"},
    {"NOMASTERLINK", "Can't SYNC while not connected with my master", Refuses::kNamed,
     "|SYNC|PSYNC|"},
});

constexpr std::array<std::string_view, 8> kLateCodes = {
    "WRONGTYPE", "NOSCRIPT", "BUSYKEY", "BUSYGROUP", "NOGROUP", "NOTBUSY", "NOPROTO", "WRONGPASS"};
// How the texts of ERR begin that come of carrying a command out.
constexpr std::array<std::string_view, 14> kLateTexts = {
    "value is not",  "syntax error", "index out of range", "no such key", "hash value is not",
    "increment",     "decrement",    "offset is",          "bit offset",  "invalid expire",
    "Error running", "min or max",   "string exceeds",     "The XGROUP"};

bool is_code_letter(char c) { return c >= 'A' && c <= 'Z'; }

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::ranges::replace(small, ' ', '|');
  return small;
}

// Without the code, where the message begins with it.
std::string_view bare_text(const ErrorText& error) {
  std::string_view text = error.message;
  if (!error.code.empty() && text.starts_with(error.code)) {
    const std::string_view rest = text.substr(error.code.size());
    if (rest.starts_with(' ')) return rest.substr(1);
    if (rest.empty()) return rest;
  }
  return text;
}

}  // namespace

const RealError* find_error(std::string_view code) {
  const auto found = std::ranges::find(kErrors, code, &RealError::code);
  return found == kErrors.end() ? nullptr : &*found;
}

std::vector<std::string_view> error_codes() {
  std::vector<std::string_view> codes;
  codes.reserve(kErrors.size());
  for (const RealError& error : kErrors) codes.push_back(error.code);
  return codes;
}

std::string_view leading_code(std::string_view message) {
  const std::string_view word = message.substr(0, message.find(' '));
  return word.size() >= 3 && std::ranges::all_of(word, is_code_letter) ? word : std::string_view();
}

bool can_refuse(std::string_view code, const CommandTraits* command, bool in_transaction) {
  const RealError* const error = find_error(code);
  if (error == nullptr || command == nullptr) return true;
  const bool runs_others = command->name.starts_with("EVAL") || command->name.starts_with("FCALL");
  // What a transaction contains is not known here.
  if (command->kind == CommandKind::kExec) return true;
  switch (error->refuses) {
    case Refuses::kAny:
      return true;
    case Refuses::kWrites:
      return command->writes() || runs_others;
    case Refuses::kGrowing:
      return command->grows() || runs_others || in_transaction;
    case Refuses::kNamed:
      return error->commands.find(fmt::format("|{}|", command->name)) != std::string_view::npos;
  }
  return true;
}

bool is_told_late(const ErrorText& error) {
  if (std::ranges::find(kLateCodes, error.code) != kLateCodes.end()) return true;
  const std::string_view text = bare_text(error);
  return error.code == "ERR" && std::ranges::any_of(kLateTexts, [&](std::string_view begin) {
           return text.starts_with(begin);
         });
}

std::string error_line(const ErrorText& error, std::string_view command) {
  const std::string_view code = error.code.empty() ? std::string_view("ERR") : error.code;
  std::string text(bare_text(error));
  const RealError* const real = find_error(code);
  if (text.empty() && real != nullptr) text = real->text;
  const std::size_t place = text.find("{}");
  if (place != std::string::npos && error.message.empty()) {
    text.replace(place, 2, in_small_letters(command));
  }
  std::string line = text.empty() ? std::string(code) : fmt::format("{} {}", code, text);
  std::ranges::replace_if(line, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return line;
}

}  // namespace misrule::codecs::redis
