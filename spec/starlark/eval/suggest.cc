#include "base/nearest.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::star {

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
  return nearest_name(name, candidates);
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  return misrule::did_you_mean(name, candidates);
}

}  // namespace misrule::star
