#include "controller/launch/accounts.h"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

std::optional<uid_t> number_in(std::string_view text) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Account account_from(const passwd& entry) {
  return {.uid = entry.pw_uid, .gid = entry.pw_gid, .name = entry.pw_name, .home = entry.pw_dir};
}

std::optional<Account> account_of(uid_t uid) {
  std::vector<char> space(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, space.data(), space.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return account_from(entry);
}

std::optional<Account> account_named(const std::string& name) {
  std::vector<char> space(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, space.data(), space.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return account_from(entry);
}

// A number that no account has, as containers use: it is its own group and has no home.
Account bare_account(uid_t uid) {
  return {.uid = uid, .gid = uid, .name = fmt::format("{}", uid), .home = "/"};
}

}  // namespace

Result<Account> find_account(std::string_view name_or_number) {
  if (const auto number = number_in(name_or_number)) {
    return account_of(*number).value_or(bare_account(*number));
  }
  if (auto account = account_named(std::string(name_or_number))) return *std::move(account);
  return fail(Code::kNotFound, fmt::format("this machine has no user {:?}", name_or_number));
}

Account default_account(const std::string& spec_file) {
  const uid_t self = ::geteuid();
  if (self != 0) return account_of(self).value_or(bare_account(self));
  const char* sudo = std::getenv("SUDO_UID");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (sudo != nullptr) {
    if (const auto uid = number_in(sudo)) return account_of(*uid).value_or(bare_account(*uid));
  }
  struct stat file{};
  if (::stat(spec_file.c_str(), &file) == 0) {
    return account_of(file.st_uid).value_or(bare_account(file.st_uid));
  }
  return account_of(0).value_or(bare_account(0));
}

}  // namespace misrule::controller
