#pragma once

// What a rule wants beyond operation and subject: headers, parameters, tables.

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/glob.h"
#include "base/result.h"
#include "codecs/facts.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace misrule::model {
class Rule;
}  // namespace misrule::model

namespace misrule::rules {

/// One of them: a value of this detail matches.
struct DetailMatch {
  codecs::Detail what = codecs::Detail::kText;
  std::string key = {};
  std::variant<Glob, std::shared_ptr<const re2::RE2>> pattern;

  bool wants(const codecs::Facts& facts) const;
  /// As specs write it: "table=", "headers[x-tenant]".
  std::string keyword() const;
};

/// Of a legal rule; cheap ones first.
std::vector<DetailMatch> detail_matches(const model::Rule& rule);
/// Which units the rule is about.
codecs::Phase phase_of(const model::Rule& rule);
/// Is the regular expression one? The error says what is wrong with it.
Status check_regex(std::string_view regex);

}  // namespace misrule::rules
