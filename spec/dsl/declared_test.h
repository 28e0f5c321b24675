#pragma once

// What runs as one test: a function, the rules that hold while it does, and who judges its value.

#include <vector>

#include "spec/dsl/session.h"
#include "spec/dsl/spec.h"

namespace misrule::dsl {

struct BodyToRun {
  star::Value function = {};
  std::vector<model::Rule> rules = {};     ///< Complete, with ids; armed before the first step.
  std::vector<star::Value> monitors = {};  ///< MonitorValues that it carries.
  /// Called with what the function returned, once the rules have ended; unbound: nobody.
  star::Value judge = star::Value::unbound();
  star::Span at = {};  ///< Of the declaration.
  /// Without a judge, what holds for any scenario without faults is asked for.
  bool is_control = false;

  /// With the interpreter lock held.
  BodyResult run(star::Thread& thread, RunState& run) const;
};

}  // namespace misrule::dsl
