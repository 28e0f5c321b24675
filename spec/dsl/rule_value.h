#pragma once

// deny(), delay(), error(), drop() and their like as values: what is to happen and to what, but not
// yet where.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/dsl/session.h"
#include "spec/dsl/traffic_words.h"
#include "spec/model/rules.pb.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

enum class ActionVerb : std::uint8_t {
  kDeny,
  kDelay,
  kError,
  kDrop,
  kLink,
  kRespond,
  kRewrite,
  kDuplicate,
  kCorrupt,
  kTruncate,
  kHold,
};

/// One action as it was written.
struct RuleDraft {
  ActionVerb verb = ActionVerb::kDeny;
  model::Rule rule = {};  ///< Action, trigger, label, source; no target and no match yet.
  TrafficMatch traffic = {};
  std::optional<std::string> path = {};  ///< Of a file or of a URL: the place of use decides.
  std::optional<std::string> fd_kind = {};
  std::optional<std::string> established = {};
  std::optional<model::Target> to = {};
  bool side_said = false;
  star::Span at = {};  ///< Of the call that made it.
  /// Of its arguments, by name: status = 503.
  std::map<std::string, star::Span, std::less<>> written = {};
};

class RuleValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "action";
  explicit RuleValue(RuleDraft draft) : draft_(std::move(draft)) {}
  const RuleDraft& draft() const { return draft_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  std::uint64_t hash() const override { return identity_hash(); }

 private:
  RuleDraft draft_;
};

std::string_view verb_name(ActionVerb verb);
/// What the verb's positional argument is called.
std::string_view first_parameter(ActionVerb verb);
/// The keywords that this function takes; empty if `name` makes no action.
const std::vector<std::string>& action_keywords(std::string_view name);

/// A service or an interface as a rule's target or destination; nothing for other values.
std::optional<model::Target> target_of(const star::Value& value);

}  // namespace misrule::dsl
