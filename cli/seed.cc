#include "cli/seed.h"

#include <charconv>
#include <random>

#include <fmt/format.h>

namespace misrule::cli {

Result<std::uint64_t> parse_seed(std::string_view text) {
  // 32 bits: short enough to be typed again.
  if (text == "random") return std::random_device()();
  std::uint64_t seed = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (problem == std::errc() && end == text.data() + text.size() && !text.empty()) return seed;
  return fail(Code::kInvalid, fmt::format("--seed '{}': a whole number from 0, or 'random'", text));
}

}  // namespace misrule::cli
