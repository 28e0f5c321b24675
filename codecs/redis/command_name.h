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

/// A command's name in capitals, with the subcommand where it has one: "GET", "CONFIG SET".
class CommandName {
 public:
  /// `words`: the name and the arguments, at least one.
  explicit CommandName(std::span<const ByteView> words);

  /// Cut where no command's name is that long. Lives as long as this.
  std::string_view text() const { return {text_.data(), size_}; }
  /// nullptr for what redis-server 7.0 does not know.
  const CommandTraits* traits() const { return traits_; }
  /// Of how many words it is made.
  std::size_t words() const { return words_; }
  CommandKind kind() const { return traits_ == nullptr ? CommandKind::kPlain : traits_->kind; }

 private:
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
