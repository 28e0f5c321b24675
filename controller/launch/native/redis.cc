#include "controller/launch/native/redis.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "controller/launch/accounts.h"
#include "controller/launch/command.h"

namespace misrule::controller::native {
namespace {

struct RedisServer {
  std::string program = {};
  std::string version = {};  ///< "7.0.15"
};

Result<RedisServer> look_for_redis() {
  constexpr std::array kPrograms = {"/usr/local/bin/redis-server", "/usr/bin/redis-server"};
  for (const char* program : kPrograms) {
    if (::access(program, X_OK) != 0) continue;
    MISRULE_TRY(const std::string said, run_command({.argv = {program, "--version"}}));
    // "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=..."
    const std::size_t at = said.find("v=");
    if (at == std::string::npos) {
      return fail(Code::kIo, fmt::format("{} --version said {:?}", program, said));
    }
    const std::size_t end = said.find_first_of(" \n", at);
    return RedisServer{.program = program, .version = said.substr(at + 2, end - at - 2)};
  }
  return fail(Code::kNotFound, "no redis-server in /usr/bin: apt-get install redis-server");
}

Result<RedisServer> find_redis() {
  static const Result<RedisServer> found = look_for_redis();
  return found;
}

std::uint16_t redis_port(const model::Service& service) {
  for (const model::Interface& candidate : service.interfaces) {
    if (candidate.protocol == model::Protocol::kRedis) return candidate.port;
  }
  return 6379;
}

// What follows the program in the image's command; the program itself may be said or not.
std::vector<std::string> server_arguments(const model::Service& service) {
  std::vector<std::string> arguments = service.args;
  if (!arguments.empty() && arguments.front() == "redis-server") {
    arguments.erase(arguments.begin());
  }
  return arguments;
}

std::string password_in(const std::vector<std::string>& arguments) {
  const auto said = std::ranges::find(arguments, "--requirepass");
  return said == arguments.end() || said + 1 == arguments.end() ? std::string() : *(said + 1);
}

}  // namespace

Result<std::string> RedisStandIn::find_server() const {
  MISRULE_TRY(const RedisServer server, find_redis());
  return fmt::format("Redis {} ({})", server.version, server.program);
}

Status RedisStandIn::plan(ServicePlan& plan) const {
  MISRULE_TRY(const RedisServer server, find_redis());
  plan.user = find_account("redis") ? "redis" : "nobody";
  plan.note = fmt::format("{} → local Redis {}", plan.service.image, server.version);
  plan.step.port = redis_port(plan.service);
  plan.step.password = password_in(server_arguments(plan.service));
  return {};
}

Status RedisStandIn::prepare(const ServicePlan&, const Progress&) const { return {}; }

Result<ProcessPlan> RedisStandIn::materialise(const ServicePlan& plan,
                                              const std::string& world_folder) const {
  MISRULE_TRY(const RedisServer server, find_redis());
  MISRULE_TRY(const Account owner, find_account(plan.user));
  const std::string data = world_folder + "/" + plan.service.name;
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) return fail(Code::kIo, fmt::format("making {}: {}", data, error.message()));
  if (::geteuid() == 0 && ::chown(data.c_str(), owner.uid, owner.gid) != 0) {
    return std::unexpected(errno_error("giving " + data + " to " + owner.name, errno));
  }
  ProcessPlan process{.argv = {server.program, "--port", fmt::format("{}", plan.step.port),
                               "--bind", "127.0.0.1", "-::1", "--dir", data, "--daemonize", "no"},
                      .env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"LANG", "C.UTF-8"}},
                      .cwd = data,
                      .user = plan.user};
  const std::vector<std::string> more = server_arguments(plan.service);
  process.argv.insert(process.argv.end(), more.begin(), more.end());
  return process;
}

}  // namespace misrule::controller::native
