#pragma once

// How heavy a verdict is for those who only know "failed", "error" and "skipped".

#include <string>

#include "spec/model/verdict.h"

namespace misrule::controller {

enum class Weight : unsigned char {
  kGood,    ///< It passed.
  kSilent,  ///< It says nothing: skipped, not exercised, no oracle.
  kBad,     ///< The system under test, or the spec, is to blame.
  kError,   ///< Infrastructure, or an interrupt.
};

/// `strict`: what says nothing is bad, as --strict has it.
Weight weight_of(model::Outcome outcome, bool strict);

/// Why a test ended as it did, in one line: its first finding, else its verdict.
std::string reason_of(const model::TestReport& report);

}  // namespace misrule::controller
