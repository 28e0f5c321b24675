#include "tests/fuzz/redis/model_server.h"

#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace misrule::codecs::redis {
namespace {

/// Of "*3\r\n" the number; nothing while the line is incomplete. It is taken off.
std::optional<std::size_t> take_number(std::string_view& rest, char type) {
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::size_t number = 0;
  const auto read = std::from_chars(rest.data() + 1, rest.data() + end, number);
  MISRULE_CHECK(rest.front() == type && read.ptr == rest.data() + end);
  rest.remove_prefix(end + 2);
  return number;
}

std::optional<std::string> take_word(std::string_view& rest) {
  const auto size = take_number(rest, '$');
  if (!size || rest.size() < *size + 2) return std::nullopt;
  std::string word(rest.substr(0, *size));
  MISRULE_CHECK(rest.substr(*size, 2) == "\r\n");
  rest.remove_prefix(*size + 2);
  return word;
}

/// Nothing while it is incomplete.
std::optional<std::vector<std::string>> take_command(std::string_view& rest) {
  const auto count = take_number(rest, '*');
  if (!count) return std::nullopt;
  std::vector<std::string> words;
  while (words.size() < *count) {
    auto word = take_word(rest);
    if (!word) return std::nullopt;
    words.push_back(*std::move(word));
  }
  return words;
}

}  // namespace

std::string array_of(const std::vector<std::string>& words) {
  std::string wire = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) wire += bulk_of(word);
  return wire;
}

std::string bulk_of(std::string_view text) {
  return fmt::format("${}\r\n{}\r\n", text.size(), text);
}

std::string value_of(std::string_view key) {
  const std::size_t longer = key.back() == '7' ? 400 : (key.back() == '3' ? 200 : 0);
  return fmt::format("value of {}{}", key, std::string(longer, '.'));
}

std::string ModelRedis::serve(std::string_view bytes) {
  unread_ += bytes;
  std::string answers;
  std::string_view rest = unread_;
  while (!rest.empty()) {
    std::string_view after = rest;
    const auto command = take_command(after);
    if (!command) break;
    answers += answer(*command);
    rest = after;
  }
  unread_ = std::string(rest);
  return answers;
}

std::string ModelRedis::answer(const std::vector<std::string>& words) {
  const std::string& name = words.front();
  if (name == "MULTI") {
    if (in_transaction_) return "-ERR MULTI calls can not be nested\r\n";
    in_transaction_ = true;
    return "+OK\r\n";
  }
  if (name == "EXEC" || name == "DISCARD") return end_transaction(name);
  if (name != "GET" && name != "PING" && name != "SCAN") {
    refuses_ = in_transaction_;
    return fmt::format("-ERR unknown command '{}', with args beginning with: \r\n", name);
  }
  if (!in_transaction_) return carry_out(words);
  queue_.push_back(words);
  return "+QUEUED\r\n";
}

std::string ModelRedis::end_transaction(std::string_view how) {
  if (!in_transaction_) return fmt::format("-ERR {} without MULTI\r\n", how);
  in_transaction_ = false;
  const auto queue = std::exchange(queue_, {});
  if (std::exchange(refuses_, false) && how == "EXEC") {
    return "-EXECABORT Transaction discarded because of previous errors.\r\n";
  }
  if (how == "DISCARD") return "+OK\r\n";
  std::string answer = fmt::format("*{}\r\n", queue.size());
  for (const auto& words : queue) answer += carry_out(words);
  return answer;
}

std::string ModelRedis::carry_out(const std::vector<std::string>& words) {
  if (words.front() == "PING") return "+PONG\r\n";
  if (words.front() == "SCAN") return "-ERR invalid cursor\r\n";
  done_.push_back(words.at(1));
  return bulk_of(value_of(words.at(1)));
}

}  // namespace misrule::codecs::redis
