#pragma once

// What is this command called, and which keys does it name?

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codecs/redis/command_table.h"

namespace misrule::codecs::redis {

class ServerCommands;

/// A command's name in capitals, with the subcommand where it has one: "GET", "CONFIG SET".
class CommandName {
 public:
  /// `words`: the name and the arguments, at least one. `server`: what its server has told of its
  /// commands, null if nothing; traits() may be of it.
  explicit CommandName(std::span<const ByteView> words, const ServerCommands* server = nullptr);

  /// Cut where no command's name is that long. Lives as long as this.
  std::string_view text() const { return {text_.data(), size_}; }
  /// The same, but for what the server has given another name: what that is.
  std::string_view real_text() const { return traits_ == nullptr ? text() : traits_->name; }
  /// nullptr for what neither redis-server 7.0 knows nor the server has told.
  const CommandTraits* traits() const { return traits_; }
  /// Of how many words it is made.
  std::size_t words() const { return words_; }
  /// Whatever its arguments are, it means nothing for the conversation. What is not known may turn
  /// out to be another name of something that does.
  bool is_always_plain() const {
    return words_ == 1 && size_ <= kPlainMax && traits_ != nullptr &&
           traits_->kind == CommandKind::kPlain && !traits_->is_container();
  }
  CommandKind kind() const { return traits_ == nullptr ? CommandKind::kPlain : traits_->kind; }

 private:
  static constexpr std::size_t kPlainMax = 32;

  void append(std::string_view word);

  std::array<char, 64> text_;
  std::size_t size_ = 0;
  std::size_t words_ = 1;
  const CommandTraits* traits_ = nullptr;
};

/// Appends the keys among `words` of a command that has `count` of them when it is whole. Keys in
/// a script's text are not seen.
void append_keys(const CommandTraits& traits, std::span<const ByteView> words, std::uint64_t count,
                 std::vector<ByteView>& keys);

/// Are these the same, letters without case? `word` is in capitals.
bool is_word(ByteView text, std::string_view word);

}  // namespace misrule::codecs::redis
