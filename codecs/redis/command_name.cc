#include "codecs/redis/command_name.h"

#include <algorithm>
#include <charconv>

#include "codecs/redis/key_spec.h"
#include "codecs/redis/server_commands.h"

namespace misrule::codecs::redis {
namespace {

using Words = std::span<const ByteView>;

char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

void append_range(const CommandTraits& traits, Words words, std::uint64_t count,
                  std::vector<ByteView>& keys) {
  const std::int64_t all = static_cast<std::int64_t>(count);
  const std::int64_t last = traits.last < 0 ? all + traits.last : traits.last;
  for (std::int64_t at = traits.first; at <= last; at += traits.step) {
    if (static_cast<std::size_t>(at) >= words.size()) return;
    keys.push_back(words[static_cast<std::size_t>(at)]);
  }
}

void append_counted(std::size_t number_at, Words words, std::vector<ByteView>& keys) {
  if (number_at >= words.size()) return;
  std::size_t number = 0;
  const ByteView text = words[number_at];
  std::from_chars(text.data(), text.data() + text.size(), number);
  const Words behind = words.subspan(number_at + 1);
  for (const ByteView key : behind.first(std::min(number, behind.size()))) keys.push_back(key);
}

// How many words an option of XREAD and XREADGROUP takes, itself included.
std::size_t stream_option_words(ByteView option) {
  if (is_word(option, "GROUP")) return 3;
  return is_word(option, "BLOCK") || is_word(option, "COUNT") ? 2 : 1;
}

void append_streams(Words words, std::uint64_t count, std::vector<ByteView>& keys) {
  std::size_t at = 1;
  while (at < words.size() && !is_word(words[at], "STREAMS")) at += stream_option_words(words[at]);
  if (at >= words.size()) return;
  const Words behind = words.subspan(at + 1);
  const auto half = static_cast<std::size_t>((count - at - 1) / 2);
  for (const ByteView key : behind.first(std::min(half, behind.size()))) keys.push_back(key);
}

std::size_t sort_option_words(ByteView option) {
  if (is_word(option, "LIMIT")) return 3;
  return is_word(option, "GET") || is_word(option, "BY") ? 2 : 1;
}

void append_sort(Words words, std::vector<ByteView>& keys) {
  if (words.size() > 1) keys.push_back(words[1]);
  for (std::size_t at = 2; at + 1 < words.size(); at += sort_option_words(words[at])) {
    if (is_word(words[at], "STORE")) keys.push_back(words[++at]);
  }
}

void append_geo_store(Words words, std::vector<ByteView>& keys) {
  if (words.size() > 1) keys.push_back(words[1]);
  for (std::size_t at = 5; at + 1 < words.size(); ++at) {
    if (is_word(words[at], "STORE") || is_word(words[at], "STOREDIST")) keys.push_back(words[++at]);
  }
}

std::size_t migrate_option_words(ByteView option) {
  if (is_word(option, "AUTH2")) return 3;
  return is_word(option, "AUTH") ? 2 : 1;
}

void append_migrate(Words words, std::vector<ByteView>& keys) {
  if (words.size() <= 3) return;
  if (!words[3].empty()) return keys.push_back(words[3]);
  std::size_t at = 6;
  while (at < words.size() && !is_word(words[at], "KEYS")) at += migrate_option_words(words[at]);
  for (++at; at < words.size(); ++at) keys.push_back(words[at]);
}

}  // namespace

CommandName::CommandName(std::span<const ByteView> words, const ServerCommands* server) {
  append(words.front());
  traits_ = find_command(text(), server);
  if (traits_ == nullptr || !traits_->is_container() || words.size() < 2) return;
  append(" ");
  append(words[1]);
  words_ = 2;
  // Of a subcommand that is not known, nothing is known.
  traits_ = find_command(text(), server);
}

void CommandName::append(std::string_view word) {
  for (const char c : word.substr(0, text_.size() - size_)) text_[size_++] = capital(c);
}

void append_keys(const CommandTraits& traits, std::span<const ByteView> words, std::uint64_t count,
                 std::vector<ByteView>& keys) {
  switch (traits.places) {
    case KeyPlaces::kNone:
      return;
    case KeyPlaces::kRange:
      return append_range(traits, words, count, keys);
    case KeyPlaces::kCounted:
      return append_counted(static_cast<std::size_t>(traits.first), words, keys);
    case KeyPlaces::kTargetAndCounted:
      if (words.size() > 1) keys.push_back(words[1]);
      return append_counted(static_cast<std::size_t>(traits.first), words, keys);
    case KeyPlaces::kStreams:
      return append_streams(words, count, keys);
    case KeyPlaces::kSort:
      return append_sort(words, keys);
    case KeyPlaces::kGeoStore:
      return append_geo_store(words, keys);
    case KeyPlaces::kMigrate:
      return append_migrate(words, keys);
    case KeyPlaces::kSpecs:
      for (const KeySpec& spec : static_cast<const TraitsBySpecs&>(traits).specs) {
        append_keys(spec, words, count, keys);
      }
      return;
  }
}

bool is_word(ByteView text, std::string_view word) {
  return std::ranges::equal(text, word, {}, capital);
}

}  // namespace misrule::codecs::redis
