#pragma once

// Which lines of a PostgreSQL server's log are there because of a statement that we made up?
//
// A fault replaces a client's statement by one that the server rejects; the server logs that
// error, the statement, and what belongs to them. A server in the field would log none of it.

#include <string_view>

namespace misrule::controller {

/// Part of every made-up statement, and so of the server's complaint about it.
inline constexpr std::string_view kPoisonMark = "misrule_fault_";

/// Reads one stream, line by line.
class PoisonTrace {
 public:
  /// True if this line belongs to a made-up statement's trace.
  bool takes(std::string_view line);

 private:
  bool inside_ = false;
};

}  // namespace misrule::controller
