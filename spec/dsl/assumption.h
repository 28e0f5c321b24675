#pragma once

// fault_assumption(): what is assumed to go wrong, as a value with a name.

#include <string>
#include <vector>

#include "spec/dsl/session.h"
#include "spec/model/rules.pb.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

class AssumptionValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "fault assumption";
  AssumptionValue(AssumptionDeclared declared, std::string description,
                  std::vector<star::Value> monitors)
      : declared_(std::move(declared)),
        description_(std::move(description)),
        monitors_(std::move(monitors)) {}
  const std::string& name() const { return declared_.name; }
  const std::string& description() const { return description_; }
  /// Complete but for their ids; those of the assumptions that it is made of come first.
  const std::vector<model::Rule>& rules() const { return declared_.rules; }

  /// What must hold whenever this is assumed; likewise of its parts, too.
  const std::vector<star::Value>& monitors() const { return monitors_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }
  void visit_children(star::ValueVisitor& visitor) const override;
  void drop_children() override { monitors_.clear(); }

 private:
  AssumptionDeclared declared_;
  std::string description_;
  std::vector<star::Value> monitors_;
};

/// Names are parts of folders and files of the run, and of "service.interface".
void check_name(const star::Args& args, std::string_view name, star::Span at);

/// One assumption or a list of them, as faults= takes it.
std::vector<const AssumptionValue*> assumptions_of(const star::Args& args, const star::Value& value,
                                                   star::Span at);

/// Declared assumptions of different names whose rules are the same: one of them does not say what
/// its author means.
std::vector<star::Diagnostic> note_equal_assumptions(const Session& session);

/// Adds a test; raises if its name is taken.
void add_test(const star::Args& args, TestDeclared declared,
              const std::vector<const AssumptionValue*>& faults);
/// The control of a test under faults, declared once for its scenario and check; its name.
std::string control_of(Session& session, const TestDeclared& test, const star::Value& check,
                       const std::vector<const AssumptionValue*>& faults);
/// A function without parameters, as scenario= takes it.
void check_scenario(const star::Args& args, const star::Value& scenario, star::Span at);
/// A function of one parameter, as expect= and control= take it.
void check_judging(const star::Args& args, const star::Value& function, std::string_view what,
                   star::Span at);
/// "create_order" of a def; "scenario" of anything else.
std::string scenario_name(const star::Value& scenario);

}  // namespace misrule::dsl
