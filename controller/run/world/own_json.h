#pragma once

// JSON that our own processes send each other: a line or a packet is one object. Its strings hold
// any bytes as they are, because the name of a file and the value of a variable need not be UTF-8.

#include <string_view>

#include <boost/json/fwd.hpp>

#include "base/result.h"

namespace misrule::controller {

Result<boost::json::object> read_own_json(std::string_view text);

}  // namespace misrule::controller
