#include "controller/events/trace_context.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"

namespace misrule::controller {

namespace {

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;

/// Zero is no id.
std::string id_of(std::uint64_t bits) { return fmt::format("{:016x}", bits == 0 ? 1 : bits); }

bool is_id(std::string_view text, std::size_t digits) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == digits && std::ranges::all_of(text, is_digit) &&
         text.find_first_not_of('0') != text.npos;
}

}  // namespace

std::string trace_id_of(std::string_view log_folder) {
  return id_of(stable_hash(log_folder, 1)) + id_of(stable_hash(log_folder, 2));
}

std::string span_id_of(std::string_view trace, std::string_view kind, std::uint64_t ordinal) {
  return id_of(stable_hash(fmt::format("{}/{}/{}", trace, kind, ordinal)));
}

std::string traceparent_of(const TraceContext& context) {
  return fmt::format("00-{}-{}-01", context.trace, context.span);
}

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  constexpr std::size_t kSpanBegin = 3 + kTraceDigits + 1;
  constexpr std::size_t kLength = kSpanBegin + kSpanDigits + 3;
  // A later version may have more behind another dash; its beginning is read all the same.
  if (text.size() < kLength || (text.size() > kLength && text[kLength] != '-')) return {};
  if (text[2] != '-' || text[kSpanBegin - 1] != '-' || text[kSpanBegin + kSpanDigits] != '-') {
    return {};
  }
  const std::string_view trace = text.substr(3, kTraceDigits);
  const std::string_view span = text.substr(kSpanBegin, kSpanDigits);
  if (!is_id(trace, kTraceDigits) || !is_id(span, kSpanDigits)) return {};
  return TraceContext{.trace = std::string(trace), .span = std::string(span)};
}

}  // namespace misrule::controller
