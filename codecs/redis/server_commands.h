#pragma once

// What does a server itself say of its commands, where that is more than the built-in table knows?
// Commands of modules, of newer servers, and such as have been given another name.
//
// Reference: https://redis.io/docs/latest/commands/command/
// Not read: a module's command whose keys only the module can find.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codecs/redis/command_table.h"

namespace misrule::codecs::redis {

struct ToldCommand;

/// Unchangeable; copies share what they hold. What find() gives lives as long as any of them.
class ServerCommands {
 public:
  /// What is beyond this in an answer is left alone.
  static constexpr std::size_t kCommandsMax = 8192;

  ServerCommands() = default;
  /// Of the whole answer to COMMAND.
  static Result<ServerCommands> read(ByteView reply);
  /// The same, and what COMMAND INFO has answered to these names, which are in capitals: a name
  /// whose answer is about another one stands for that.
  Result<ServerCommands> with(std::span<const std::string> names, ByteView reply) const;

  /// nullptr: there is nothing to be said beyond the built-in table. `name` is in capitals.
  const CommandTraits* find(std::string_view name) const;
  /// How many it has.
  std::size_t size() const { return known_.size(); }

 private:
  struct Known;
  void add(const ToldCommand& told, std::string_view name);
  void add_one(const ToldCommand& told, std::string_view name);

  std::map<std::string, std::shared_ptr<const Known>, std::less<>> known_;
};

/// "COMMAND", and "COMMAND INFO" with these names, as they are asked.
std::string command_request(std::span<const std::string> names);

/// What is known of a command: the server's word first, if it has said any.
const CommandTraits* find_command(std::string_view name, const ServerCommands* server);

}  // namespace misrule::codecs::redis
