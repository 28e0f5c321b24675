#pragma once

// What is found out about a statement only if a rule asks.

#include <string_view>

#include "codecs/facts.h"
#include "codecs/postgres/registry.h"

namespace misrule::codecs::postgres {

/// One execution. Both live as long as the details.
class StatementDetails final : public Details {
 public:
  /// `portal`: what is executed, if it was bound; null for a simple Query. `prepared`: the
  /// statement that SQL's EXECUTE names, if it is one.
  StatementDetails(const Statement& statement, const Named* portal, std::string_view prepared)
      : statement_(statement), portal_(portal), prepared_(prepared) {}

  bool any(Detail what, std::string_view key,
           const std::function<bool(std::string_view)>& wants) const override;

 private:
  using Wants = std::function<bool(std::string_view)>;
  bool any_of_shape(Detail what, const Wants& wants) const;
  bool any_parameter(std::string_view number, const Wants& wants) const;

  const Statement& statement_;
  const Named* portal_;
  std::string_view prepared_;
};

}  // namespace misrule::codecs::postgres
