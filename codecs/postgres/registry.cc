#include "codecs/postgres/registry.h"

#include <utility>

namespace misrule::codecs::postgres {

std::string name_key(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 63;
  return std::string(name.substr(0, kNameBytesMax));
}

const Names::Versions* Names::find(const std::string& name) const {
  if (name.empty()) return &unnamed_;
  const auto entry = named_.find(name);
  return entry == named_.end() ? nullptr : &entry->second;
}

Names::Versions* Names::find(const std::string& name) {
  return const_cast<Versions*>(std::as_const(*this).find(name));
}

NamedPtr Names::last(const std::string& name) const {
  const Versions* const versions = find(name);
  if (versions == nullptr) return nullptr;
  return versions->asked.empty() ? versions->agreed : versions->asked.back();
}

void Names::ask(const std::string& name, NamedPtr named) {
  (name.empty() ? unnamed_ : named_[name]).asked.push(std::move(named));
}

void Names::agreed(const std::string& name) {
  Versions* const versions = find(name);
  if (versions == nullptr || versions->asked.empty()) return;
  versions->agreed = versions->asked.take();
  drop_if_empty(name, *versions);
}

void Names::refused(const std::string& name, bool keeps_old) {
  Versions* const versions = find(name);
  if (versions == nullptr || versions->asked.empty()) return;
  versions->asked.pop();
  if (!keeps_old) versions->agreed = nullptr;
  drop_if_empty(name, *versions);
}

void Names::put(const std::string& name, NamedPtr named) {
  Versions& versions = name.empty() ? unnamed_ : named_[name];
  versions.agreed = std::move(named);
  drop_if_empty(name, versions);
}

void Names::clear_agreed() {
  unnamed_.agreed = nullptr;
  for (auto& [name, versions] : named_) versions.agreed = nullptr;
  std::erase_if(named_, [](const auto& entry) { return entry.second.empty(); });
}

void Names::drop_if_empty(const std::string& name, const Versions& versions) {
  if (versions.empty()) named_.erase(name);
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
