#pragma once

// partition(): two services that cannot reach each other, as the rules that make it so.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/dsl/session.h"
#include "spec/model/rules.pb.h"

namespace misrule::dsl {

struct PartitionSides {
  model::Target a = {};
  model::Target b = {};
  std::string mode = "silence";  ///< Or "reset", "refuse".
};

/// Complete but for ids, group, label and position. kInvalid: it cannot be.
Result<std::vector<model::Rule>> partition_rules(const Session& session,
                                                 const PartitionSides& sides);

/// "partition(api, db.main)".
std::string partition_text(const PartitionSides& sides);

}  // namespace misrule::dsl
