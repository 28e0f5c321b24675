#include "controller/bundle/secret_mask.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "base/json_text.h"
#include "controller/report/again.h"
#include "controller/report/run_page.h"

namespace misrule::controller {

namespace {

constexpr std::size_t kShortest = 4;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// A command to run it again stands in JSON and in HTML, too.
std::vector<std::string> spellings_of(std::string_view value) {
  const std::string word = shell_quoted(value);
  const std::string inner = word.starts_with('\'') ? word.substr(1, word.size() - 2) : word;
  std::vector<std::string> out;
  for (const std::string& text : {std::string(value), inner}) {
    const std::string quoted = json_quoted(text);
    out.insert(out.end(), {text, quoted.substr(1, quoted.size() - 2), html_text(text)});
  }
  return out;
}

}  // namespace

bool names_a_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kWords = {
      "passw", "pwd", "secret", "token", "credential", "apikey", "api_key", "private", "auth"};
  const std::string small = lower(name);
  return small.ends_with("key") || std::ranges::any_of(kWords, [&small](std::string_view word) {
           return small.find(word) != small.npos;
         });
}

void SecretMask::add(std::string_view value) {
  if (value.size() < kShortest) return;
  for (std::string& spelling : spellings_of(value)) spellings_.push_back(std::move(spelling));
  std::ranges::sort(spellings_, [](const std::string& left, const std::string& right) {
    return left.size() != right.size() ? left.size() > right.size() : left < right;
  });
  const auto twins = std::ranges::unique(spellings_);
  spellings_.erase(twins.begin(), twins.end());
}

void SecretMask::add_secrets(const std::vector<std::pair<std::string, std::string>>& named) {
  for (const auto& [name, value] : named) {
    if (names_a_secret(name)) add(value);
  }
}

std::string SecretMask::masked(std::string text) const {
  constexpr std::string_view kMask = "***";
  for (const std::string& spelling : spellings_) {
    for (std::size_t at = 0; (at = text.find(spelling, at)) != std::string::npos;) {
      text.replace(at, spelling.size(), kMask);
      at += kMask.size();
    }
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> environment_pairs() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != text.npos) out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace misrule::controller
