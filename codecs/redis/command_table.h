#pragma once

// What is known of each command of redis-server 7.0: what it does to the conversation, where its
// keys stand, whether it writes. What a server itself says goes before that (server_commands.h).

#include <cstdint>
#include <string_view>

namespace misrule::codecs::redis {

/// What a command means for the conversation itself.
enum class CommandKind : std::uint8_t {
  kPlain,
  kHello,
  kMulti,
  kExec,
  kDiscard,
  kWatch,
  kReset,
  kQuit,
  kSubscribe,    ///< Also PSUBSCRIBE, SSUBSCRIBE: an answer for each channel.
  kUnsubscribe,  ///< The same; without channels one for each that there is.
  kMonitor,
  kReplicate,  ///< SYNC, PSYNC: then bytes of another kind.
  kClientReply,
  kSelect,
  kAddresses,  ///< Its answer says where other servers are.
  kReplconf,
};

/// Where the keys of a command stand.
enum class KeyPlaces : std::uint8_t {
  kNone,
  kRange,             ///< From `first` to `last` (from the end if negative) by `step`.
  kCounted,           ///< Their number is argument `first`; they follow it.
  kTargetAndCounted,  ///< The same, and argument 1.
  kStreams,           ///< XREAD: behind STREAMS, half of what is there.
  kSort,              ///< Argument 1, and what follows STORE.
  kGeoStore,          ///< Argument 1, and what follows STORE or STOREDIST.
  kMigrate,           ///< Argument 3 or, if that is empty, all behind KEYS.
  kSpecs,             ///< As a server has told; the traits are TraitsBySpecs.
};

struct CommandTraits {
  enum Flags : std::uint8_t {
    kWrites = 1,     ///< A replica refuses it.
    kGrows = 2,      ///< A server without memory refuses it.
    kContainer = 4,  ///< The next word belongs to its name.
  };
  std::string_view name;  ///< In capitals: "GET", "CLIENT REPLY".
  CommandKind kind;
  KeyPlaces places;
  std::int16_t first;
  std::int16_t last;
  std::int16_t step;
  std::uint8_t flags;

  bool writes() const { return (flags & kWrites) != 0; }
  bool grows() const { return (flags & kGrows) != 0; }
  bool is_container() const { return (flags & kContainer) != 0; }
};

/// nullptr if the name, which is in capitals, is not known. What it gives lives for ever.
const CommandTraits* find_command(std::string_view name);

}  // namespace misrule::codecs::redis
