#pragma once

// Arguments that say which rules hold on which target: those of fault() and of fault_assumption().

#include <optional>
#include <string>
#include <vector>

#include "spec/dsl/rule_assembly.h"

namespace misrule::dsl {

class RulesReader {
 public:
  /// `own`: keywords that the caller reads itself, for the list of those that exist.
  RulesReader(const star::Args& args, std::vector<std::string> own)
      : args_(args), session_(session_of(args)), own_(std::move(own)) {}

  /// `place`: what is said to want a service, such as "target=".
  void take_target(const star::Value& value, star::Span at, std::string_view place);
  /// An action or a list of them; `family` is empty for rules on traffic.
  void take_rules(const star::Value& value, const std::string& family, star::Span at);
  /// write=, rules=, source=, to=, label=, description=; raises at any other.
  void take_keyword(std::size_t index);
  void require_rules() const;

  bool has_target() const { return !use_.target.service().empty(); }
  bool has_rules() const { return !used_.empty(); }
  /// Complete but for their ids; raises at one that is wrong for the target.
  std::vector<model::Rule> rules() const;
  /// Where the rule of that index is used.
  star::Span place_of(std::size_t index) const { return used_[index].at; }

 private:
  struct UsedRule {
    const RuleValue* value = nullptr;
    std::string family = {};
    star::Span at = {};  ///< Where it is used; it may have been made elsewhere.
  };

  void refuse_keyword(std::size_t index) const;
  std::string text_of(std::size_t index) const;

  const star::Args& args_;
  Session& session_;
  std::vector<std::string> own_;
  RuleUse use_ = {};
  std::vector<UsedRule> used_ = {};
  std::string label_ = {};  ///< Of rules that have none.
  std::string description_ = {};
};

/// What a rule of the running test is called: its label, else the test and the order of making. The
/// same label again is another rule: its counters start anew.
std::string fresh_id(RunState& run, const model::Rule& rule);

}  // namespace misrule::dsl
