#include "controller/launch/dsn.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace misrule::controller {

std::optional<Dsn> parse_dsn(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (parsed.has_error() || !parsed->has_authority()) return std::nullopt;
  const boost::urls::url_view& url = *parsed;
  Dsn dsn{.scheme = std::string(url.scheme()),
          .user = std::string(url.user()),
          .password = std::string(url.password()),
          .host = std::string(url.host()),
          .port = url.port_number(),
          .database = std::string(url.path())};
  if (dsn.host.empty()) return std::nullopt;
  if (dsn.database.starts_with('/')) dsn.database.erase(0, 1);
  return dsn;
}

}  // namespace misrule::controller
