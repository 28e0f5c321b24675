// Is the topology as a whole possible, and does it mean what it says?

#include <algorithm>
#include <set>

#include "spec/dsl/analysis.h"
#include "spec/model/dsn.h"

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
      if (const auto doubt = model::doubt_about_env(session.topology, variable, value)) {
        notes.push_back(diagnostic_at(Severity::kWarning, session.env_spans[i], *doubt,
                                      std::string(model::kUncreatedHint)));
      }
    }
  }
  return notes;
}

}  // namespace misrule::dsl
