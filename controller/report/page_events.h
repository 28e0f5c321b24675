#pragma once

// Which of a test's events stand on the page of a run, and as what text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace misrule::controller {

struct PageEvents {
  std::string json = "[]";   ///< [[event, who, what, rule], ...] as sentence.h says it; UTF-8.
  std::size_t left_out = 0;  ///< How many events of the log do not stand there.
  std::string missing = {};  ///< Why there are none, where the log cannot be read.
};

struct PageEventsWanted {
  std::string log = {};                   ///< Path of the event log; empty if there is none.
  std::vector<std::uint64_t> story = {};  ///< Kept in any case.
  /// Of more than these a quarter from the beginning and half from the end are kept; and from
  /// between them the story, and what rules did.
  std::size_t events_max = 10'000;
  std::size_t field_bytes_max = 2048;  ///< A longer value is cut, and says so.
};

PageEvents events_for_page(const PageEventsWanted& wanted);

}  // namespace misrule::controller
