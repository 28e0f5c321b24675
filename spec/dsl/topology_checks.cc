// Is the topology as a whole possible, and does it mean what it says?

#include <algorithm>
#include <charconv>
#include <map>

#include "spec/dsl/analysis.h"

namespace misrule::dsl {

using model::Service;
using star::Diagnostic;
using star::Severity;

namespace {

std::vector<std::string> service_names(const Session& session) {
  std::vector<std::string> names;
  names.reserve(session.topology.services.size());
  for (const Service& service : session.topology.services) names.push_back(service.name);
  return names;
}

/// Finds one circle of depends_on, if there is any.
class CircleFinder {
 public:
  explicit CircleFinder(const Session& session) : session_(session) {}

  std::vector<std::string> find() {
    for (const Service& service : session_.topology.services) {
      if (visit(service.name))
        return {path_.begin() + static_cast<std::ptrdiff_t>(start_), path_.end()};
    }
    return {};
  }

 private:
  bool visit(const std::string& name) {
    if (done_.contains(name)) return false;
    const auto again = std::ranges::find(path_, name);
    const bool circle = again != path_.end();
    if (circle) start_ = static_cast<std::size_t>(again - path_.begin());
    path_.push_back(name);
    if (circle) return true;
    const Service* service = session_.find_service(name);
    if (service != nullptr &&
        std::ranges::any_of(service->depends_on,
                            [&](const std::string& next) { return visit(next); })) {
      return true;
    }
    path_.pop_back();
    done_.insert(name);
    return false;
  }

  const Session& session_;
  std::vector<std::string> path_;
  std::set<std::string> done_;
  std::size_t start_ = 0;
};

/// "postgres://role:password@host:port/database" somewhere in an env value.
struct Dsn {
  std::string role = {};
  std::string database = {};
  unsigned port = 0;
};

std::optional<Dsn> parse_dsn(std::string_view text) {
  for (const std::string_view scheme : {"postgres://", "postgresql://"}) {
    const std::size_t at = text.find(scheme);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + scheme.size());
    Dsn dsn;
    if (const std::size_t user_end = rest.find('@'); user_end != std::string_view::npos) {
      dsn.role = rest.substr(0, std::min(rest.find(':'), user_end));
      rest.remove_prefix(user_end + 1);
    }
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view address = rest.substr(0, slash);
    const std::size_t colon = address.rfind(':');
    dsn.port = 5432;
    if (colon != std::string_view::npos) {
      std::from_chars(address.data() + colon + 1, address.data() + address.size(), dsn.port);
    }
    if (slash < rest.size()) {
      rest.remove_prefix(slash + 1);
      dsn.database = rest.substr(0, std::min(rest.find_first_of("? "), rest.size()));
    }
    return dsn;
  }
  return std::nullopt;
}

std::string env_or(const Service& service, std::string_view name, const std::string& otherwise) {
  for (const auto& [key, value] : service.env) {
    if (key == name) return value;
  }
  return otherwise;
}

const Service* database_at(const Session& session, unsigned port) {
  for (const Service& service : session.topology.services) {
    for (const model::Interface& interface : service.interfaces) {
      const bool meant = interface.port == port && interface.protocol == model::Protocol::kPostgres;
      if (meant && !service.image.empty()) return &service;
    }
  }
  return nullptr;
}

void lint_dsn(const Session& session, std::size_t index, const std::string& variable,
              const Dsn& dsn, std::vector<Diagnostic>& notes) {
  const Service* database = database_at(session, dsn.port);
  if (database == nullptr) return;
  const std::string role = env_or(*database, "POSTGRES_USER", "postgres");
  const std::string name = env_or(*database, "POSTGRES_DB", role);
  const bool other_role = !dsn.role.empty() && dsn.role != role;
  const std::string wanted_database = dsn.database.empty() ? dsn.role : dsn.database;
  const bool other_database =
      !wanted_database.empty() && wanted_database != name && wanted_database != "postgres";
  if (!other_role && !other_database) return;
  const std::string what =
      other_role && other_database
          ? fmt::format("role \"{}\" and database \"{}\"", dsn.role, wanted_database)
      : other_role ? fmt::format("role \"{}\"", dsn.role)
                   : fmt::format("database \"{}\"", wanted_database);
  notes.push_back(diagnostic_at(Severity::kWarning, session.env_spans[index],
                                fmt::format("{} names {}, which the env of {} does not create",
                                            variable, what, database->name),
                                "a stand-in creates it all the same; POSTGRES_USER= and "
                                "POSTGRES_DB= make a real image do so"));
}

}  // namespace

std::vector<Diagnostic> check_topology(const Session& session) {
  std::vector<Diagnostic> problems;
  const auto names = service_names(session);
  for (std::size_t i = 0; i < session.topology.services.size(); ++i) {
    for (const std::string& wanted : session.topology.services[i].depends_on) {
      if (std::ranges::find(names, wanted) != names.end()) continue;
      problems.push_back(diagnostic_at(
          Severity::kError, session.span_of(i, "depends_on"),
          fmt::format("service \"{}\" depends on \"{}\", which is not declared{}",
                      session.topology.services[i].name, wanted, did_you_mean(wanted, names)),
          "services: " + listed(names)));
    }
  }
  const auto circle = CircleFinder(session).find();
  if (!circle.empty()) {
    const auto first = std::ranges::find(names, circle.front()) - names.begin();
    problems.push_back(
        diagnostic_at(Severity::kError, session.service_spans[static_cast<std::size_t>(first)],
                      fmt::format("depends_on goes in a circle: {}", fmt::join(circle, " -> ")),
                      "none of them could start first"));
  }
  return problems;
}

std::vector<Diagnostic> lint_topology(const Session& session) {
  std::vector<Diagnostic> notes;
  for (std::size_t i = 0; i < session.topology.services.size(); ++i) {
    for (const auto& [variable, value] : session.topology.services[i].env) {
      if (const auto dsn = parse_dsn(value)) lint_dsn(session, i, variable, *dsn, notes);
    }
  }
  return notes;
}

}  // namespace misrule::dsl
