#pragma once

// The trace of a test as W3C Trace Context has it: who calls hands on in which trace, and below
// which span, it calls.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace misrule::controller {

struct TraceContext {
  std::string trace = {};  ///< 32 hexadecimal digits.
  std::string span = {};   ///< 16.
};

/// Of one test of one run: `log_folder` is where its event log lies.
std::string trace_id_of(std::string_view log_folder);

/// Of the how-manieth span of a kind in a trace; 0 of "test" is the test's own.
std::string span_id_of(std::string_view trace, std::string_view kind, std::uint64_t ordinal);

/// As the header traceparent has it, sampled; and back, if it is one.
std::string traceparent_of(const TraceContext& context);
std::optional<TraceContext> parse_traceparent(std::string_view text);

}  // namespace misrule::controller
