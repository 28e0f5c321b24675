#include "controller/launch/service_plan.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/nearest.h"
#include "controller/launch/accounts.h"
#include "controller/launch/command.h"
#include "controller/launch/native/stand_in.h"
#include "spec/model/dsn.h"

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;

// It may build what runs.
constexpr Duration kSetupTimeout = std::chrono::minutes(10);

std::string environment_or(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string(value);
}

bool executable(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

// A name with a slash is a path from the spec's folder; another one is looked up on PATH. `word` is
// what the spec, or misrule.toml, calls it.
Result<std::string> find_program(const ServicePlan& plan, const std::string& binary,
                                 std::string_view word) {
  if (binary.contains('/')) {
    const fs::path file = (fs::path(plan.spec_folder) / binary).lexically_normal();
    if (executable(file)) return file.string();
    std::error_code ignored;
    const char* what =
        fs::exists(file, ignored) ? "is not an executable file (chmod +x?)" : "does not exist";
    return fail(Code::kInvalid, fmt::format("{} {} {}", word, file.string(), what), word);
  }
  std::string path = environment_or("PATH", "/usr/local/bin:/usr/bin:/bin") + ":";
  for (std::size_t end = path.find(':'); end != std::string::npos; end = path.find(':')) {
    const fs::path file = fs::path(path.substr(0, end)) / binary;
    if (executable(file)) return file.string();
    path.erase(0, end + 1);
  }
  return fail(
      Code::kInvalid,
      fmt::format("{} {:?} is not on PATH (a program of yours: \"./{}\")", word, binary, binary),
      word);
}

// A DSN in another service's environment may name a role or database that the database's own
// environment does not create; the stand-in creates it all the same.
void add_roles_and_databases(const model::Topology& topology, ServicePlan& plan) {
  for (const model::Service& other : topology.services) {
    for (const auto& [name, value] : other.env) {
      const auto missing = model::uncreated_by(plan.service, value);
      if (!missing) continue;
      auto& all = plan.roles_and_databases;
      const std::pair wanted = {missing->role, missing->database};
      if (std::ranges::find(all, wanted) == all.end()) all.push_back(wanted);
    }
  }
}

std::string known_images() {
  std::string names;
  for (const native::StandIn* one : native::all_stand_ins()) {
    names += (names.empty() ? "" : ", ") + std::string(one->image());
  }
  return names;
}

/// Says how to write the entry that is missing.
std::unexpected<Error> no_entry(const ProjectFile& project, const model::Service& service) {
  const bool is_image = !service.image.empty();
  const std::string& key = is_image ? service.image : service.build;
  std::vector<std::string_view> known;
  known.reserve(project.stand_ins.size());
  for (const ProgramEntry& entry : project.stand_ins) known.emplace_back(entry.key);
  return fail(Code::kUnsupported,
              fmt::format("nothing on this machine stands in for {} {:?}{} (images that need no "
                          "entry: {}); write into {}: [stand-ins.{:?}] and, on the next line, "
                          "command = [\"python3\", \"app.py\"]",
                          is_image ? "image" : "build", key, did_you_mean(key, known),
                          known_images(), project.path, key),
              is_image ? "image" : "build");
}

Status plan_image(const model::Topology& topology, const ProjectFile& project, ServicePlan& plan) {
  plan.stand_in = native::find_stand_in(plan.service.image);
  if (plan.stand_in == nullptr) return no_entry(project, plan.service);
  add_roles_and_databases(topology, plan);
  return plan.stand_in->plan(plan);
}

std::string directory_of(const ServicePlan& plan) {
  return (fs::path(plan.spec_folder) / plan.service.cwd).lexically_normal().string();
}

Status check_directory(const ServicePlan& plan) {
  std::error_code ignored;
  const std::string path = directory_of(plan);
  if (fs::is_directory(path, ignored)) return {};
  return fail(Code::kInvalid,
              fmt::format("cwd {} {}", path,
                          fs::exists(path, ignored) ? "is no directory" : "does not exist"),
              "cwd");
}

Status plan_binary(ServicePlan& plan, const LaunchOptions& options) {
  MISRULE_TRY(plan.service.binary, find_program(plan, plan.service.binary, "binary"));
  MISRULE_TRY_VOID(check_directory(plan));
  if (!plan.service.user.empty()) {
    const auto account = find_account(plan.service.user);
    if (!account) {
      return fail(Code::kInvalid, account.error().what, "user");
    }
    plan.user = plan.service.user;
    return {};
  }
  plan.user = default_account(options.spec_file).name;
  return {};
}

/// Where a command of misrule.toml runs, and what is built, must be there.
Status check_directories(const ServicePlan& plan) {
  if (!plan.service.build.empty()) {
    std::error_code ignored;
    const fs::path folder = (fs::path(plan.spec_folder) / plan.service.build).lexically_normal();
    if (!fs::is_directory(folder, ignored)) {
      return fail(Code::kInvalid, fmt::format("build {} is no directory", folder.string()),
                  "build");
    }
  }
  return check_directory(plan);
}

/// A command of misrule.toml runs in place of an image or of what a directory builds.
Status plan_entry(const ProjectFile& project, const ProgramEntry& entry, ServicePlan& plan,
                  const LaunchOptions& options) {
  model::Service& service = plan.service;
  const auto blame = [&](Error error) {
    error.what = fmt::format("{}: [stand-ins.{:?}]: {}", project.path, entry.key, error.what);
    if (error.field != "build") error.field = service.image.empty() ? "build" : "image";
    return std::unexpected(std::move(error));
  };
  service = run_by(entry, service);
  if (const Status there = check_directories(plan); !there) return blame(there.error());
  auto program = find_program(plan, service.binary, "command");
  if (!program) return blame(std::move(program).error());
  service.binary = *std::move(program);
  plan.setup = entry.setup;
  if (!plan.setup.empty()) {
    auto first = find_program(plan, plan.setup.front(), "setup");
    if (!first) return blame(std::move(first).error());
    plan.setup.front() = *std::move(first);
  }
  plan.setup_env = entry.env;
  plan.user = default_account(options.spec_file).name;
  plan.note = fmt::format("{} → {}", entry.key, fmt::join(entry.command, " "));
  return {};
}

Result<ServicePlan> plan_service(const model::Topology& topology, const ProjectFile& project,
                                 const model::Service& service, const LaunchOptions& options) {
  ServicePlan plan{.service = service, .state_folder = options.state_folder};
  std::error_code ignored;
  plan.spec_folder = fs::absolute(options.spec_file, ignored).parent_path().string();
  if (!service.interfaces.empty()) plan.step.port = service.interfaces.front().port;
  if (!service.binary.empty()) {
    MISRULE_TRY_VOID(plan_binary(plan, options));
  } else if (const ProgramEntry* entry = project.find(service)) {
    MISRULE_TRY_VOID(plan_entry(project, *entry, plan, options));
  } else if (!service.image.empty()) {
    MISRULE_TRY_VOID(plan_image(topology, project, plan));
  } else if (!service.build.empty()) {
    return no_entry(project, service);
  } else if (!service.remote.empty()) {
    return fail(Code::kUnsupported,
                fmt::format("remote= is not there yet; give the service binary= or a known image= "
                            "({})",
                            known_images()),
                "remote");
  } else {
    return fail(Code::kInvalid, "says neither binary= nor image=");
  }
  return plan;
}

// Dependencies first, otherwise in the spec's order. The spec's loading refused cycles; what one
// would leave over is appended as it stands.
std::vector<const model::Service*> start_order(const model::Topology& topology) {
  std::vector<const model::Service*> order;
  const auto started = [&](const std::string& name) {
    return std::ranges::any_of(order, [&](const auto* one) { return one->name == name; });
  };
  const auto can_start = [&](const model::Service& service) {
    return !started(service.name) && std::ranges::all_of(service.depends_on, started);
  };
  for (std::size_t round = 0; round < topology.services.size(); ++round) {
    for (const model::Service& service : topology.services) {
      if (can_start(service)) order.push_back(&service);
    }
  }
  for (const model::Service& service : topology.services) {
    if (!started(service.name)) order.push_back(&service);
  }
  return order;
}

using Environment = std::vector<std::pair<std::string, std::string>>;

/// What a service gets of the machine, and what was said of it.
Result<Environment> environment_of(const ServicePlan& plan, const Environment& said) {
  MISRULE_TRY(const Account account, find_account(plan.user));
  Environment env = {{"PATH", environment_or("PATH", "/usr/local/bin:/usr/bin:/bin")},
                     {"HOME", account.home},
                     {"LANG", environment_or("LANG", "C.UTF-8")},
                     {"TZ", environment_or("TZ", "UTC")},
                     // On a pipe Python keeps its output to itself otherwise.
                     {"PYTHONUNBUFFERED", "1"}};
  for (const auto& [name, value] : said) {
    std::erase_if(env, [&](const auto& entry) { return entry.first == name; });
    env.emplace_back(name, value);
  }
  return env;
}

}  // namespace

std::expected<std::vector<ServicePlan>, PlanFailure> plan_services(const model::Topology& topology,
                                                                   const LaunchOptions& options) {
  if (options.backend == "docker") {
    return std::unexpected(PlanFailure{
        {.code = Code::kUnsupported,
         .what = "--backend=docker is not there yet: leave it out, and local servers stand in for "
                 "images"},
        ""});
  }
  auto project = read_project_file(fs::path(options.spec_file).parent_path().string());
  if (!project) {
    return std::unexpected(PlanFailure{
        {.code = Code::kInvalid, .what = project.error().finding.message}, "", project.error()});
  }
  model::Topology whole = topology;
  for (model::Service& service : whole.services) service = with_env_of(*project, service);
  std::vector<ServicePlan> plans;
  for (const model::Service* service : start_order(whole)) {
    auto plan = plan_service(whole, *project, *service, options);
    if (!plan) {
      const std::string whose = fmt::format("service {:?}", service->name);
      return std::unexpected(PlanFailure{std::move(plan).error().with(whose), service->name});
    }
    // Once is enough for all services that one entry stands in for.
    const bool done_before = std::ranges::any_of(plans, [&](const ServicePlan& other) {
      return !other.setup.empty() && other.service.image == plan->service.image &&
             other.service.build == plan->service.build;
    });
    if (done_before) plan->setup.clear();
    plan->warnings = doubts_about(*project, topology, *topology.find_service(service->name));
    plans.push_back(*std::move(plan));
  }
  return plans;
}

Result<UniqueFd> hold_service(const ServicePlan& plan) {
  return plan.stand_in == nullptr ? UniqueFd() : plan.stand_in->hold(plan);
}

Status prepare_service(const ServicePlan& plan, const Progress& progress) {
  if (plan.stand_in != nullptr) return plan.stand_in->prepare(plan, progress);
  if (plan.setup.empty()) return {};
  progress(fmt::format("setup: {}", fmt::join(plan.setup, " ")));
  MISRULE_TRY(Environment env, environment_of(plan, plan.setup_env));
  const auto done = run_command({.argv = plan.setup,
                                 .env = std::move(env),
                                 .cwd = directory_of(plan),
                                 .user = plan.user,
                                 .timeout = kSetupTimeout});
  if (!done) return fail(Code::kIo, "setup: " + done.error().what);
  return {};
}

Result<ProcessPlan> materialise_service(const ServicePlan& plan, const std::string& world_folder) {
  if (plan.stand_in != nullptr) return plan.stand_in->materialise(plan, world_folder);
  ProcessPlan process{.argv = {plan.service.binary}, .user = plan.user};
  process.argv.insert(process.argv.end(), plan.service.args.begin(), plan.service.args.end());
  process.cwd = directory_of(plan);
  MISRULE_TRY(process.env, environment_of(plan, plan.service.env));
  return process;
}

bool keeps_data(const model::Service& service) {
  return std::ranges::any_of(service.interfaces, [](const model::Interface& candidate) {
    return candidate.protocol == model::Protocol::kPostgres ||
           candidate.protocol == model::Protocol::kRedis ||
           candidate.protocol == model::Protocol::kKafka;
  });
}

}  // namespace misrule::controller
