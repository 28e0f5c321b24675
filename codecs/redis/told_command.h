#pragma once

// One command as COMMAND and COMMAND INFO describe it, each version of Redis in more words.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codecs/redis/key_spec.h"
#include "codecs/redis/told_values.h"

namespace misrule::codecs::redis {

struct ToldCommand {
  std::string name = {};  ///< In capitals, with a blank before a subcommand: "CONFIG SET".
  bool writes = false;
  bool grows = false;
  /// What servers before 7 say of keys, and all there is where `specs` are not told.
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 0;
  /// Of keys alone: channels and the like are left out.
  std::vector<KeySpec> specs = {};
  bool has_specs = false;
  bool keys_beyond_specs = false;       ///< Only the server can find some of them.
  std::vector<ToldCommand> parts = {};  ///< Its subcommands.
};

/// The next value; nothing if it is nil, or no command.
std::optional<ToldCommand> read_told_command(ToldValues& values);

}  // namespace misrule::codecs::redis
