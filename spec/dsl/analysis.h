#pragma once

// What a loaded spec's text tells before anything runs: the rules that its bodies will make, the
// system calls that filters must see, and mistakes.

#include <map>
#include <vector>

#include "spec/dsl/rule_assembly.h"
#include "spec/dsl/session.h"
#include "spec/dsl/static_reader.h"

namespace misrule::dsl {

class Analysis {
 public:
  Analysis(Session& session, star::Thread& thread, const star::Runtime& runtime);

  /// Templates of the rules that a test can make, itself or through what it calls.
  std::vector<model::Rule> rules_of_test(const std::string& test) {
    return rules_of_test(test, test, 0);
  }
  /// The same of a test that begins in another function and declares so many rules itself.
  std::vector<model::Rule> rules_of_test(const std::string& test, const std::string& function,
                                         std::size_t declared);
  /// Rules without an action, so that system calls that its filters speak of are recorded.
  /// Of all that can be reached from these functions; "" means the statements outside of any: what
  /// stands at the top level (monitors, invariants) may be about every test.
  std::vector<model::Rule> recordings_of_test(const std::set<std::string>& functions);
  /// Mistakes, in any order and perhaps twice.
  std::vector<star::Diagnostic> take_problems() { return std::move(problems_); }
  std::vector<star::Diagnostic> take_notes() { return std::move(notes_); }

 private:
  void check_names(const Unit& unit);
  void note_unused_scenarios();
  void read_fault(const Unit& unit, const star::CallExpr& call, std::string_view verb);
  void read_fault_on(const Unit& unit, const star::CallExpr& call,
                     const std::optional<model::Target>& target);
  void read_partition(const Unit& unit, const star::CallExpr& call);
  void read_rule(const Unit& unit, const star::Expr& expr, const RuleUse& use, bool target_known,
                 std::vector<model::Rule>& out);
  void check_fault_keywords(const Unit& unit, const star::CallExpr& call, std::string_view verb);
  void note_families(const Unit& unit, const star::CallExpr& call);
  void note_family_words(const Unit& unit);
  void note_setting(const Unit& unit, const star::CallExpr& call);
  void note_recordings(const Unit& unit, const star::CallExpr& call);
  std::vector<std::pair<const Unit*, const star::CallExpr*>> calls_of_test(
      std::set<std::string> names);
  using Recorded = std::pair<std::string, std::string>;  ///< Service (empty: any) and family.
  std::map<Recorded, star::Span> recorded_in(const std::set<std::string>& functions);
  std::optional<model::Target> static_target(const Unit& unit, const star::CallExpr& call);
  /// Of the first argument, one or a list; those that are known.
  std::vector<model::Target> static_targets(const Unit& unit, const star::CallExpr& call);

  Session& session_;
  std::vector<star::Diagnostic> problems_;
  std::vector<star::Diagnostic> notes_;
  StaticReader reader_;
  std::vector<Unit> units_;
  std::map<const star::CallExpr*, std::vector<model::Rule>> templates_;
};

/// In the order of the text, each once.
void sort_by_place(std::vector<star::Diagnostic>& problems);

/// Filters of assertions that no recorded event could satisfy.
void check_filters(const Session& session, const Unit& unit, StaticReader& reader);

/// Steps and builtins that are called with names or arguments that they have not.
void check_calls(const std::vector<Unit>& units, const Unit& unit, StaticReader& reader);

/// System calls that a filter speaks of; an empty service means any. A filter that does not tell
/// which families it means is about all of them.
struct SyscallsWanted {
  std::string service = {};
  std::vector<std::string> families = {};
};
std::vector<SyscallsWanted> syscalls_wanted(const Session& session, const Unit& unit,
                                            const star::CallExpr& call, StaticReader& reader);

/// What is wrong or doubtful about the topology as a whole.
std::vector<star::Diagnostic> check_topology(const Session& session);
std::vector<star::Diagnostic> lint_topology(const Session& session);

}  // namespace misrule::dsl
