#include "codecs/redis/server_commands.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "codecs/redis/told_command.h"

namespace misrule::codecs::redis {
namespace {

std::uint8_t flags_of(const ToldCommand& told) {
  const unsigned writes = told.writes ? CommandTraits::kWrites : 0U;
  const unsigned grows = told.grows ? CommandTraits::kGrows : 0U;
  const unsigned parts = told.parts.empty() ? 0U : CommandTraits::kContainer;
  return static_cast<std::uint8_t>(writes | grows | parts);
}

bool is_plain_range(const KeySpec& spec) {
  return spec.keyword.empty() && !spec.counted && (spec.last >= 0 || spec.limit <= 1);
}

// "The one that is written, and behind it those that are read" is a range as well.
std::optional<KeySpec> as_one_range(std::span<const KeySpec> specs) {
  if (!is_plain_range(specs.front())) return std::nullopt;
  KeySpec all = specs.front();
  for (const KeySpec& next : specs.subspan(1)) {
    const bool continues = is_plain_range(next) && all.step == 1 && next.step == 1 &&
                           all.last >= 0 && next.from == all.from + all.last + 1;
    if (!continues) return std::nullopt;
    all.last = next.last >= 0 ? next.from + next.last - all.from : next.last;
  }
  return all;
}

void set_range(CommandTraits& traits, std::int64_t first, std::int64_t last, std::int64_t step) {
  const bool has_keys = first > 0 && step > 0;
  traits.places = has_keys ? KeyPlaces::kRange : KeyPlaces::kNone;
  traits.first = has_keys ? static_cast<std::int16_t>(first) : std::int16_t{0};
  traits.last = has_keys ? static_cast<std::int16_t>(last) : std::int16_t{0};
  traits.step = has_keys ? static_cast<std::int16_t>(step) : std::int16_t{0};
}

void set_places(CommandTraits& traits, const ToldCommand& told) {
  const bool by_specs = told.has_specs && !(told.specs.empty() && told.keys_beyond_specs);
  if (!by_specs) return set_range(traits, told.first, told.last, told.step);
  if (told.specs.empty()) return set_range(traits, 0, 0, 0);
  if (const auto one = as_one_range(told.specs)) {
    const std::int64_t last = one->last >= 0 ? one->from + one->last : one->last;
    return set_range(traits, one->from, std::min<std::int64_t>(last, INT16_MAX), one->step);
  }
  traits.places = KeyPlaces::kSpecs;
}

bool same_keys(const CommandTraits& a, const CommandTraits& b) {
  if (a.places != b.places) return false;
  return a.places == KeyPlaces::kNone ||
         (a.first == b.first && a.last == b.last && a.step == b.step);
}

// The table has ways of its own for these; what servers tell of them depends on their version.
bool has_own_way(const CommandTraits& built_in) {
  return built_in.places != KeyPlaces::kNone && built_in.places != KeyPlaces::kRange;
}

}  // namespace

struct ServerCommands::Known : TraitsBySpecs {
  std::string real_name;
};

// `name`: as clients say it; that of what is told may be another one, whose meaning it has.
void ServerCommands::add_one(const ToldCommand& told, std::string_view name) {
  if (name.empty() || told.name.empty() || known_.size() >= kCommandsMax) return;
  const CommandTraits* const built_in = redis::find_command(told.name);
  const bool is_renamed = name != told.name;
  auto known = std::make_shared<Known>();
  known->kind = built_in == nullptr ? CommandKind::kPlain : built_in->kind;
  known->flags = flags_of(told);
  known->specs = told.specs;
  set_places(*known, told);
  if (built_in != nullptr && (has_own_way(*built_in) || told.keys_beyond_specs)) {
    known->places = built_in->places;
    known->first = built_in->first;
    known->last = built_in->last;
    known->step = built_in->step;
  }
  if (built_in != nullptr && built_in->is_container()) known->flags |= CommandTraits::kContainer;
  const bool is_known =
      built_in != nullptr && same_keys(*known, *built_in) && known->flags == built_in->flags;
  // Of a container servers before 7 tell something, and nothing of its parts.
  const bool is_container = built_in != nullptr && built_in->is_container();
  if (!is_renamed && (is_known || is_container)) return;
  known->real_name = told.name;
  known->name = known->real_name;
  known_[std::string(name)] = std::move(known);
}

void ServerCommands::add(const ToldCommand& told, std::string_view name) {
  add_one(told, name);
  for (const ToldCommand& part : told.parts) {
    const std::size_t blank = part.name.find(' ');
    if (blank == std::string::npos) continue;
    add_one(part, std::string(name) + part.name.substr(blank));
  }
}

Result<ServerCommands> ServerCommands::read(ByteView reply) {
  ServerCommands commands;
  ToldValues values(reply);
  const auto count = values.array();
  if (!count) return fail(Code::kInvalid, "its answer to COMMAND is no list");
  for (std::size_t i = 0; i < *count && !values.failed(); ++i) {
    const auto told = read_told_command(values);
    if (told) commands.add(*told, told->name);
  }
  if (values.failed()) return fail(Code::kInvalid, "its answer to COMMAND cannot be read");
  return commands;
}

Result<ServerCommands> ServerCommands::with(std::span<const std::string> names,
                                            ByteView reply) const {
  ServerCommands commands = *this;
  ToldValues values(reply);
  if (values.array() != names.size()) {
    return fail(Code::kInvalid, "its answer to COMMAND INFO is about other commands");
  }
  for (const std::string& name : names) {
    const auto told = read_told_command(values);
    if (told) commands.add(*told, name);
  }
  if (values.failed()) return fail(Code::kInvalid, "its answer to COMMAND INFO cannot be read");
  return commands;
}

const CommandTraits* ServerCommands::find(std::string_view name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : found->second.get();
}

std::string command_request(std::span<const std::string> names) {
  if (names.empty()) return "*1\r\n$7\r\nCOMMAND\r\n";
  std::string request = fmt::format("*{}\r\n$7\r\nCOMMAND\r\n$4\r\nINFO\r\n", names.size() + 2);
  for (const std::string& name : names) request += fmt::format("${}\r\n{}\r\n", name.size(), name);
  return request;
}

const CommandTraits* find_command(std::string_view name, const ServerCommands* server) {
  const CommandTraits* const told = server == nullptr ? nullptr : server->find(name);
  return told == nullptr ? find_command(name) : told;
}

}  // namespace misrule::codecs::redis
