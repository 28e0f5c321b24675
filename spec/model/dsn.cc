#include "spec/model/dsn.h"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

namespace misrule::model {
namespace {

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

std::string env_or(const Service& service, std::string_view name, const std::string& otherwise) {
  for (const auto& [key, value] : service.env) {
    if (key == name && !value.empty()) return value;
  }
  return otherwise;
}

std::optional<Dsn> parse_dsn(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (parsed.has_error() || !parsed->has_authority()) return std::nullopt;
  const boost::urls::url_view& url = *parsed;
  Dsn dsn{.user = std::string(url.user()),
          .password = std::string(url.password()),
          .host = std::string(url.host()),
          .database = std::string(url.path())};
  if (url.port_number() != 0) dsn.port = url.port_number();
  if (dsn.host.empty()) return std::nullopt;
  if (dsn.database.starts_with('/')) dsn.database.erase(0, 1);
  return dsn;
}

/// Made by an image, and by its protocol one of whose environment this is known.
bool is_postgres_image(const Service& service) {
  return !service.image.empty() &&
         std::ranges::any_of(service.interfaces, [](const Interface& interface) {
           return interface.protocol == Protocol::kPostgres;
         });
}

}  // namespace

std::optional<Dsn> find_dsn(std::string_view text) {
  for (const std::string_view scheme : {"postgres://", "postgresql://"}) {
    const std::size_t at = text.find(scheme);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at);
    return parse_dsn(rest.substr(0, rest.find_first_of(" \t\r\n\"'")));
  }
  return std::nullopt;
}

std::optional<Uncreated> uncreated_by(const Service& database, std::string_view value) {
  const auto dsn = find_dsn(value);
  if (!dsn || !is_loopback(dsn->host)) return std::nullopt;
  const auto has_port = [&](const Interface& interface) { return interface.port == dsn->port; };
  if (std::ranges::none_of(database.interfaces, has_port)) return std::nullopt;
  const std::string role = env_or(database, "POSTGRES_USER", "postgres");
  // A client that names no database means the one that is called as its role.
  Uncreated missing = {.role = dsn->user,
                       .database = dsn->database.empty() ? dsn->user : dsn->database};
  if (missing.role == role) missing.role.clear();
  if (missing.database == env_or(database, "POSTGRES_DB", role)) missing.database.clear();
  if (missing == Uncreated{}) return std::nullopt;
  return missing;
}

std::optional<std::string> doubt_about_env(const Topology& topology, std::string_view variable,
                                           std::string_view value) {
  for (const Service& service : topology.services) {
    auto missing = is_postgres_image(service) ? uncreated_by(service, value) : std::nullopt;
    if (!missing) continue;
    // Every cluster has it.
    if (missing->database == "postgres") missing->database.clear();
    std::string what =
        missing->role.empty() ? std::string() : fmt::format("role \"{}\"", missing->role);
    if (!missing->database.empty()) {
      what += fmt::format("{}database \"{}\"", what.empty() ? "" : " and ", missing->database);
    }
    if (what.empty()) continue;
    return fmt::format("{} names {}, which the env of {} does not create", variable, what,
                       service.name);
  }
  return std::nullopt;
}

}  // namespace misrule::model
