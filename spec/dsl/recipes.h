#pragma once

// Specs that come with Misrule: load("@misrule/postgres.star", "lost_commit").

#include <string_view>
#include <vector>

namespace misrule::dsl {

struct Recipe {
  std::string_view name;  ///< "postgres.star"
  std::string_view text;
};

const std::vector<Recipe>& recipes();

/// How a path begins that means one of them.
inline constexpr std::string_view kRecipePrefix = "@misrule/";

}  // namespace misrule::dsl
