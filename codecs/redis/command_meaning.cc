#include "codecs/redis/command_meaning.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "codecs/redis/addresses.h"

namespace misrule::codecs::redis {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

ReplyMode::Said said_by(const Command& command, CommandKind kind) {
  if (kind == CommandKind::kReset) return ReplyMode::Said::kReset;
  if (kind != CommandKind::kClientReply || command.words.size() != 3) {
    return ReplyMode::Said::kNothing;
  }
  if (is_word(command.words[2], "OFF")) return ReplyMode::Said::kOff;
  if (is_word(command.words[2], "SKIP")) return ReplyMode::Said::kSkip;
  return is_word(command.words[2], "ON") ? ReplyMode::Said::kOn : ReplyMode::Said::kNothing;
}

CommandKind kind_of(const Command& command, const CommandName& name) {
  const CommandKind kind = name.kind();
  const std::uint64_t count = command.count;
  switch (kind) {
    case CommandKind::kMulti:
    case CommandKind::kDiscard:
    case CommandKind::kReset:
    case CommandKind::kMonitor:
      return count == 1 ? kind : CommandKind::kPlain;
    case CommandKind::kSubscribe:
      return count > 1 ? kind : CommandKind::kPlain;
    case CommandKind::kClientReply:
      return count == 3 ? kind : CommandKind::kPlain;
    case CommandKind::kSelect: {
      const bool says = command.words.size() == 2 && number_of<std::uint32_t>(command.words[1]);
      return says ? kind : CommandKind::kPlain;
    }
    case CommandKind::kReplconf: {
      const bool acknowledges = command.words.size() > 1 && is_word(command.words[1], "ACK");
      return acknowledges ? kind : CommandKind::kPlain;
    }
    default:
      return kind;
  }
}

bool is_about_subscriptions(CommandKind kind) {
  return kind == CommandKind::kSubscribe || kind == CommandKind::kUnsubscribe;
}

std::uint32_t answers_of(const Command& command, const CommandName& name, CommandKind kind) {
  if (kind == CommandKind::kAddresses) {
    return static_cast<std::uint32_t>(
        address_form_of(name.real_text()).value_or(AddressForm::kSlots));
  }
  if (kind == CommandKind::kSelect) return number_of<std::uint32_t>(command.words[1]).value_or(0);
  if (!is_about_subscriptions(kind)) return 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(command.count - 1, UINT32_MAX));
}

bool CommandDetails::any(Detail what, std::string_view key,
                         const std::function<bool(std::string_view)>& wants) const {
  if (what == Detail::kSelectedDb) return wants(std::to_string(db_));
  if (what != Detail::kArgument) return false;
  const auto at = number_of<std::size_t>(key);
  // How much of a long value is looked at does not depend on how it arrives.
  constexpr std::size_t kSeenMax = 4096;
  if (!at || *at == 0 || *at > command_.words.size()) return false;
  const std::size_t word = *at - 1 + name_words_;
  return word < command_.words.size() && wants(command_.words[word].substr(0, kSeenMax));
}

}  // namespace misrule::codecs::redis
