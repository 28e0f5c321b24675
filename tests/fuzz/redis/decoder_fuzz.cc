// Values and commands from hostile bytes: what is found does not depend on how the bytes arrive,
// and lies within them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "codecs/redis/command.h"
#include "codecs/redis/command_name.h"
#include "codecs/redis/reply.h"
#include "codecs/redis/server_commands.h"
#include "codecs/redis/value_scanner.h"

namespace misrule::codecs::redis {
namespace {

constexpr std::size_t kDepth = 16;

void compare_values(std::string_view bytes) {
  ValueScanner whole(kDepth);
  const std::size_t at_once = whole.advance(bytes);
  MISRULE_CHECK(at_once <= bytes.size());
  ValueScanner slow(kDepth);
  std::size_t at = 0;
  while (at < bytes.size() && !slow.done() && !slow.error()) {
    at += slow.advance(bytes.substr(at, 1));
  }
  MISRULE_CHECK(slow.done() == whole.done());
  MISRULE_CHECK(slow.error().has_value() == whole.error().has_value());
  MISRULE_CHECK(at == at_once);
  MISRULE_CHECK(!whole.done() || whole.value_offset() < at_once);
  static_cast<void>(text_of(read_reply(bytes)));
  static_cast<void>(read_pubsub(bytes));
}

void compare_commands(std::string_view bytes) {
  const Limits limits{.command_bytes_max = 256, .inline_bytes_max = 256};
  CommandDecoder whole(limits);
  const auto at_once = whole.next(bytes);
  CommandDecoder growing(limits);
  Decoded<Command> last = growing.next(bytes.substr(0, 0));
  std::size_t size = 0;
  while (std::holds_alternative<NeedMore>(last) && size < bytes.size()) {
    const std::size_t wanted = std::get<NeedMore>(last).bytes_min;
    MISRULE_CHECK(wanted > size);
    size = std::min(wanted, bytes.size());
    last = growing.next(bytes.substr(0, size));
  }
  const auto* command = std::get_if<Command>(&at_once);
  if (command == nullptr) return;
  MISRULE_CHECK(command->wire.size() <= bytes.size());
  MISRULE_CHECK(command->words.size() <= command->count);
  const auto* slow = std::get_if<Command>(&last);
  if (slow == nullptr || !slow->whole || !command->whole) return;
  MISRULE_CHECK(slow->wire == command->wire);
  MISRULE_CHECK(std::ranges::equal(slow->words, command->words));
}

// What a server says of its commands: whatever it is, keys lie within the words of a command.
void find_keys(std::string_view bytes) {
  const std::vector<std::string> names = {"FETCH"};
  const auto table = ServerCommands::read(bytes);
  const auto named = ServerCommands().with(names, bytes);
  const std::vector<ByteView> words = {"FETCH", "2", "a", "STREAMS", "b", "0"};
  for (const auto* const server : {&table, &named}) {
    if (!server->has_value()) continue;
    MISRULE_CHECK((*server)->size() <= ServerCommands::kCommandsMax);
    const CommandName name(words, &**server);
    std::vector<ByteView> keys;
    if (name.traits() != nullptr) append_keys(*name.traits(), words, words.size() + 3, keys);
    MISRULE_CHECK(keys.size() <= 16 * words.size());
  }
}

}  // namespace
}  // namespace misrule::codecs::redis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::codecs::redis;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  compare_values(bytes);
  compare_commands(bytes);
  find_keys(bytes);
  return 0;
}
