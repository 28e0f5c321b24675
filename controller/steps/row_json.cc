#include "controller/steps/row_json.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace misrule::controller {
namespace {

// pg_type.dat; these numbers never change.
constexpr unsigned kBool = 16;
constexpr unsigned kNumbers[] = {20,  21,  23,  26,
                                 700, 701, 1700};  // int8 int2 int4 oid floats numeric
constexpr unsigned kJsons[] = {114, 3802};

bool is_number(std::string_view text) {
  // NaN and Infinity are no JSON; "1e+20" of a float is.
  return !text.empty() && text.find_first_not_of("+-.eE0123456789") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> unique_names(const std::vector<std::string>& names) {
  std::set<std::string> taken(names.begin(), names.end());
  std::set<std::string> used;
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    std::string wanted = name;
    for (unsigned n = 2; used.contains(wanted) || (wanted != name && taken.contains(wanted)); ++n) {
      wanted = fmt::format("{}_{}", name, n);
    }
    used.insert(wanted);
    unique.push_back(std::move(wanted));
  }
  return unique;
}

void append_json_string(std::string& out, std::string_view text) {
  out += boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

void append_value_json(std::string& out, unsigned type_oid, std::string_view text) {
  if (type_oid == kBool) {
    out += text == "t" ? "true" : "false";
  } else if (std::ranges::find(kJsons, type_oid) != std::end(kJsons) ||
             (std::ranges::find(kNumbers, type_oid) != std::end(kNumbers) && is_number(text))) {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

}  // namespace misrule::controller
