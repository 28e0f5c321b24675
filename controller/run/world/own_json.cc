#include "controller/run/world/own_json.h"

#include <boost/json.hpp>

namespace misrule::controller {

Result<boost::json::object> read_own_json(std::string_view text) {
  namespace json = boost::json;
  json::parse_options any_bytes;
  any_bytes.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value value = json::parse(text, error, {}, any_bytes);
  if (error || !value.is_object()) return fail(Code::kInternal, "what was sent is no JSON object");
  return std::move(value.as_object());
}

}  // namespace misrule::controller
