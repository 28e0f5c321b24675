#include "controller/launch/native/postgres_settings.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace misrule::controller::native {
namespace {

const std::string* value_of(const model::Service& service, std::string_view name) {
  for (const auto& [key, value] : service.env) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string value_or(const model::Service& service, std::string_view name, std::string otherwise) {
  const std::string* value = value_of(service, name);
  return value == nullptr || value->empty() ? std::move(otherwise) : *value;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, fmt::format("cannot read the seed {}", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace

std::string PostgresSettings::fingerprint() const {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n", user, password, database, auth_method,
                                 fmt::join(initdb_args, " "));
  for (const auto& [role, owned] : roles_and_databases) text += fmt::format("{} {}\n", role, owned);
  return text + seed_sql;
}

Result<PostgresSettings> postgres_settings(const ServicePlan& plan) {
  const model::Service& service = plan.service;
  PostgresSettings settings;
  settings.user = value_or(service, "POSTGRES_USER", "postgres");
  settings.database = value_or(service, "POSTGRES_DB", settings.user);
  settings.password = value_or(service, "POSTGRES_PASSWORD", "");
  settings.auth_method = value_or(service, "POSTGRES_HOST_AUTH_METHOD", "scram-sha-256");
  settings.initdb_args = words_of(value_or(service, "POSTGRES_INITDB_ARGS", ""));
  settings.roles_and_databases = plan.roles_and_databases;
  if (settings.password.empty() && settings.auth_method != "trust") {
    return fail(Code::kInvalid,
                "the image postgres does not start without a password: add \"POSTGRES_PASSWORD\" "
                "to env, or "
                "\"POSTGRES_HOST_AUTH_METHOD\": \"trust\"",
                "env");
  }
  if (service.seed && !service.seed->sql_file.empty()) {
    settings.seed_file = service.seed->sql_file;
    MISRULE_TRY(settings.seed_sql, read_file(settings.seed_file));
  }
  return settings;
}

std::uint16_t postgres_port(const model::Service& service) {
  for (const model::Interface& candidate : service.interfaces) {
    if (candidate.protocol == model::Protocol::kPostgres) return candidate.port;
  }
  return 5432;
}

}  // namespace misrule::controller::native
