#include "controller/run/sql_seed.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "controller/steps/steps.h"

namespace misrule::controller {

Status run_sql_seed(const ServicePlan& plan, std::string_view keyword, const std::string& sql_file,
                    int interrupt_fd) {
  const auto& interfaces = plan.service.interfaces;
  const auto postgres =
      std::ranges::find(interfaces, model::Protocol::kPostgres, &model::Interface::protocol);
  if (postgres == interfaces.end()) {
    return fail(Code::kInvalid, fmt::format("{}={} needs a postgres interface", keyword, sql_file));
  }
  std::ifstream file(sql_file);
  if (!file) return fail(Code::kInvalid, fmt::format("{}={} cannot be read", keyword, sql_file));
  std::stringstream sql;
  sql << file.rdbuf();
  StepTarget target = plan.step;
  target.port = postgres->port;
  const dsl::StepReply reply =
      run_step({.service = plan.service.name,
                .interface = postgres->name,
                .step = dsl::SqlStep{.sql = sql.str(), .wants_rows = false}},
               target, interrupt_fd);
  if (reply.ok) return {};
  return fail(Code::kInvalid, fmt::format("{}={}: {}", keyword, sql_file, reply.error));
}

}  // namespace misrule::controller
