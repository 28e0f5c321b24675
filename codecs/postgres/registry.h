#pragma once

// Which statement a name stands for, when the client names it and when the server has agreed.
//
// A client pipelines: it executes what it prepared one message before, and the server's consent is
// still on its way. So each name has what the server has agreed to, and behind it what was asked
// since, in order. Lookups see the last; a consent takes the first; a refusal drops it.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "codecs/lean_queue.h"
#include "codecs/postgres/limits.h"
#include "codecs/postgres/sql.h"

namespace misrule::codecs::postgres {

struct Statement {
  std::string raw = {};
  std::string normal = {};
  StatementKind kind = StatementKind::kOther;
  bool is_kept = true;  ///< False: there was no room for its texts.

  /// Nothing but blanks and comments: the server executes nothing.
  bool is_empty() const { return is_kept && normal.empty(); }
};
using StatementPtr = std::shared_ptr<const Statement>;

struct Named;
using NamedPtr = std::shared_ptr<Named>;

/// What a name stands for.
struct Named {
  StatementPtr statement = {};
  bool executed = false;  ///< A portal: an Execute of it was sent.
  // Of a prepared statement, as far as the wire says it:
  std::string name = {};
  std::string asked_parameters = {};  ///< The types that its Parse gives, as they are in there.
  std::string parameters = {};        ///< The same from ParameterDescription.
  bool is_described = false;          ///< RowDescription or NoData came:
  std::string columns = {};           ///< its body; empty: it returns no rows.
  // Of a portal:
  NamedPtr prepared = {};           ///< The statement that it was bound to.
  std::string bound = {};           ///< Its Bind behind the names; empty if that is too long.
  std::shared_ptr<void> room = {};  ///< For what is long of the above.
};

/// One namespace: prepared statements, or portals. Null stands for "no such name".
class Names {
 public:
  /// The last that was asked for; null if there is none.
  NamedPtr last(const std::string& name) const;
  /// Asked for; null: to close it.
  void ask(const std::string& name, NamedPtr named);
  void agreed(const std::string& name);
  /// `keeps_old`: what the name stood for before still stands.
  void refused(const std::string& name, bool keeps_old);
  /// Agreed and not asked for on the wire: SQL's PREPARE and DEALLOCATE.
  void put(const std::string& name, NamedPtr named);
  /// Every name that was agreed to is gone.
  void clear_agreed();

  std::size_t size() const { return named_.size() + (unnamed_.empty() ? 0 : 1); }

 private:
  struct Versions {
    NamedPtr agreed = {};
    LeanQueue<NamedPtr> asked = {};
    bool empty() const { return agreed == nullptr && asked.empty(); }
  };
  // Null if the name stands for nothing.
  const Versions* find(const std::string& name) const;
  Versions* find(const std::string& name);
  void drop_if_empty(const std::string& name, const Versions& versions);

  Versions unnamed_;  // Made and gone with each statement of most drivers.
  std::unordered_map<std::string, Versions> named_;
};

/// The texts of one connection: bounded together.
class Registry {
 public:
  explicit Registry(const Limits& limits)
      : limits_(limits), bytes_(std::make_shared<std::size_t>(0)) {}

  /// A statement that counts against the bound; beyond it, one without text.
  StatementPtr make(std::string_view raw, Backslash backslash);
  /// May `named` keep so many bytes more? Few may always be kept.
  bool has_room_for(Named& named, std::size_t bytes);
  /// May another name be kept?
  bool has_room() const { return statements.size() + portals.size() < kNamesMax; }

  Names statements;
  Names portals;

 private:
  static constexpr std::size_t kNamesMax = std::size_t{1} << 16;
  static constexpr std::size_t kFewBytes = 16 * kKiB;

  Limits limits_;
  std::shared_ptr<std::size_t> bytes_;
};

/// A name as the server keys it: its first 63 bytes.
std::string name_key(std::string_view name);

}  // namespace misrule::codecs::postgres
