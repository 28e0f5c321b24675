#pragma once

// Which statement_timeout holds for a session, as far as its own traffic says: startup options,
// SET, RESET. A server's or a role's default is not on the wire and stays unknown.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace misrule::codecs::postgres {

/// "5s", "1500", "'2min'"; zero switches it off. Nothing if it is no duration.
std::optional<Duration> parse_timeout(std::string_view value);

class StatementTimeout {
 public:
  /// From the startup packet: a parameter of that name, or `-c statement_timeout=` in options.
  void start(const std::vector<std::pair<std::string, std::string>>& parameters);
  /// A SET or RESET or DISCARD ALL that the server has carried out.
  void carried_out(std::string_view sql);
  /// A transaction ended, be it only one statement's own: what was SET LOCAL ends with it, and a
  /// rollback takes SET back, too.
  void transaction_ended(bool committed);

  /// Zero: none, or none that is known.
  Duration value() const { return local_.value_or(session_); }

 private:
  void assign(Duration value, bool is_local);

  Duration default_ = {};
  Duration session_ = {};
  std::optional<Duration> local_ = {};
  std::optional<Duration> before_transaction_ = {};
};

}  // namespace misrule::codecs::postgres
