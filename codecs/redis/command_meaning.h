#pragma once

// What does a command mean for the conversation, once its arguments are known, and what can a rule
// see of those?

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "codecs/facts.h"
#include "codecs/redis/command.h"
#include "codecs/redis/command_name.h"
#include "codecs/redis/reply_mode.h"

namespace misrule::codecs::redis {

/// A command with a number of arguments that is refused has no effect of its own.
CommandKind kind_of(const Command& command, const CommandName& name);
ReplyMode::Said said_by(const Command& command, CommandKind kind);
bool is_about_subscriptions(CommandKind kind);
/// See Owed::answers.
std::uint32_t answers_of(const Command& command, const CommandName& name, CommandKind kind);

/// The arguments, and the database that is selected.
class CommandDetails final : public Details {
 public:
  /// `name_words`: two where a subcommand belongs to the name.
  CommandDetails(const Command& command, std::size_t name_words, std::uint32_t db)
      : command_(command), name_words_(name_words), db_(db) {}

  bool any(Detail what, std::string_view key,
           const std::function<bool(std::string_view)>& wants) const override;

 private:
  const Command& command_;
  std::size_t name_words_;
  std::uint32_t db_;
};

}  // namespace misrule::codecs::redis
