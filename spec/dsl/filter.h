#pragma once

// Which events does an assertion speak of?

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/glob.h"
#include "spec/dsl/event_value.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

/// A field that a dict names; its pattern, where that is a text.
struct WantedField {
  std::string name = {};
  std::optional<std::string> pattern = {};
};

/// What a filter is known to want, literally. Empty: unknown.
struct FilterWants {
  std::optional<std::string> type = {};
  std::optional<std::string> service = {};
  std::optional<std::string> syscall = {};
  bool either_end =
      true;  ///< service may be the callee: keywords and dicts; a lambda says e.service.
  std::vector<WantedField> fields = {};
};

/// Why no recorded event of this topology could ever match, with a hint; nothing if one could.
struct Impossible {
  enum class About : std::uint8_t { kType, kService, kSyscall, kField } about = About::kType;
  std::string what = {};
  std::string help = {};
  std::size_t field = 0;  ///< kField: which of FilterWants::fields.
};
std::optional<Impossible> why_impossible(const Session& session, const FilterWants& wants);
/// Two parts of one filter that must both hold and never do.
std::optional<Impossible> why_contradictory(const FilterWants& one, const FilterWants& other);
/// What the leading operands of a lambda's top-level `and` compare with literals.
FilterWants leading_wants(const star::Function& function);
/// A text that stands for itself: no star, no question mark.
bool is_plain(std::string_view pattern);

/// where= (a function or a dict of globs), type=, service=.
class EventFilter {
 public:
  EventFilter(const star::Args& args, const std::optional<star::Value>& where,
              const std::optional<std::string>& type, const std::optional<star::Value>& service);

  /// Calls the spec's predicate; what that raises goes through.
  bool matches(star::Thread& thread, const EventPtr& event);
  /// The same of an event that others have decoded already.
  bool matches(star::Thread& thread, const star::Ref<EventValue>& event);
  /// Could it match, as far as that is known without calling the spec?
  bool may_match(const model::Event& event) const;
  /// What came nearest of these: all but one pattern of a dict matched. Empty if nothing did.
  std::string nearest(const std::vector<EventPtr>& events) const;
  void visit(star::ValueVisitor& visitor) const;
  /// "120 proxy, 14 stdout": what matches() was asked about.
  std::string shown() const;
  std::size_t shown_count() const;

 private:
  struct Pattern {
    std::string name = {};
    star::Value value = {};
    std::optional<Glob> glob = {};
  };
  void read_dict(const star::Args& args, const star::Dict& dict);
  void check(const star::Args& args) const;
  FilterWants said_by_patterns() const;
  bool service_matches(const model::Event& event) const;
  static bool pattern_matches(const Pattern& pattern, EventValue& event);

  star::Value where_ = {};
  std::optional<std::string> type_;
  std::optional<std::string> service_;
  std::vector<Pattern> patterns_;
  FilterWants first_said_;  ///< By a lambda, before anything else could happen in it.
  std::map<std::string, std::size_t> shown_;
};

}  // namespace misrule::dsl
