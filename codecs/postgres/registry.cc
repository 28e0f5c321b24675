#include "codecs/postgres/registry.h"

#include <utility>

namespace misrule::codecs::postgres {

std::string name_key(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 63;
  return std::string(name.substr(0, kNameBytesMax));
}

NamedPtr Names::last(const std::string& name) const {
  const auto entry = names_.find(name);
  if (entry == names_.end()) return nullptr;
  const Versions& versions = entry->second;
  return versions.asked.empty() ? versions.agreed : versions.asked.back();
}

void Names::ask(const std::string& name, NamedPtr named) {
  names_[name].asked.push_back(std::move(named));
}

void Names::agreed(const std::string& name) {
  const auto entry = names_.find(name);
  if (entry == names_.end() || entry->second.asked.empty()) return;
  entry->second.agreed = std::move(entry->second.asked.front());
  entry->second.asked.pop_front();
  drop_if_empty(entry);
}

void Names::refused(const std::string& name, bool keeps_old) {
  const auto entry = names_.find(name);
  if (entry == names_.end() || entry->second.asked.empty()) return;
  entry->second.asked.pop_front();
  if (!keeps_old) entry->second.agreed = nullptr;
  drop_if_empty(entry);
}

void Names::put(const std::string& name, NamedPtr named) {
  const auto entry = names_.try_emplace(name).first;
  entry->second.agreed = std::move(named);
  drop_if_empty(entry);
}

void Names::clear_agreed() {
  for (auto entry = names_.begin(); entry != names_.end();) {
    entry->second.agreed = nullptr;
    entry = entry->second.asked.empty() ? names_.erase(entry) : std::next(entry);
  }
}

void Names::drop_if_empty(Map::iterator entry) {
  if (entry->second.agreed == nullptr && entry->second.asked.empty()) names_.erase(entry);
}

StatementPtr Registry::make(std::string_view raw, Backslash backslash) {
  const std::size_t bytes = 2 * raw.size();
  if (*bytes_ + bytes > limits_.registry_bytes_max) {
    return std::make_shared<Statement>(Statement{.is_kept = false});
  }
  auto statement = std::make_unique<Statement>();
  statement->raw = raw;
  statement->normal = normal_form(raw, backslash);
  statement->kind = kind_of(statement->normal);
  *bytes_ += bytes;
  return {statement.release(), [account = bytes_, bytes](const Statement* gone) {
            *account -= bytes;
            delete gone;
          }};
}

bool Registry::has_room_for(Named& named, std::size_t bytes) {
  named.room.reset();
  if (bytes <= kFewBytes) return true;
  if (*bytes_ + bytes > limits_.registry_bytes_max) return false;
  *bytes_ += bytes;
  named.room = {bytes_.get(), [account = bytes_, bytes](void*) { *account -= bytes; }};
  return true;
}

}  // namespace misrule::codecs::postgres
