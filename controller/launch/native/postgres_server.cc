#include "controller/launch/native/postgres_server.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "controller/launch/command.h"
#include "controller/launch/native/stand_in.h"

namespace misrule::controller::native {
namespace {

namespace fs = std::filesystem;

// Each holds one folder per major. Debian's go first, as they bring their clients with them.
constexpr std::string_view kDebian = "/usr/lib/postgresql";
constexpr std::string_view kFetched = "/var/cache/misrule/postgres";  // By tools/setup.

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<int> majors_below(std::string_view folder) {
  std::vector<int> majors;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto major = number_of(entry.path().filename().string());
    const std::string server = entry.path().string() + "/bin/postgres";
    if (major && ::access(server.c_str(), X_OK) == 0) majors.push_back(*major);
  }
  return majors;
}

Result<PostgresServer> look_at(std::string_view folder, int major) {
  PostgresServer server{.major = major, .bin_folder = fmt::format("{}/{}/bin", folder, major)};
  MISRULE_TRY(const std::string said,
              run_command({.argv = {server.bin_folder + "/postgres", "--version"}}));
  // "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"
  constexpr std::string_view kBefore = "(PostgreSQL) ";
  const std::size_t at = said.find(kBefore);
  if (at == std::string::npos) {
    return fail(Code::kIo, fmt::format("{}/postgres --version said {:?}", server.bin_folder, said));
  }
  const std::string version = said.substr(at + kBefore.size());
  server.version = version.substr(0, version.find_first_of(" \n"));
  return server;
}

Result<std::vector<PostgresServer>> look_for_servers() {
  std::vector<PostgresServer> servers;
  for (const std::string_view folder : {kDebian, kFetched}) {
    for (const int major : majors_below(folder)) {
      if (std::ranges::find(servers, major, &PostgresServer::major) != servers.end()) continue;
      MISRULE_TRY(PostgresServer server, look_at(folder, major));
      servers.push_back(std::move(server));
    }
  }
  if (servers.empty()) {
    return fail(Code::kNotFound,
                fmt::format("no PostgreSQL below {}: apt-get install postgresql", kDebian));
  }
  std::ranges::sort(servers, std::greater(), &PostgresServer::major);
  return servers;
}

bool is_debians(const PostgresServer& server) { return server.bin_folder.starts_with(kDebian); }

}  // namespace

// Asked again and again, from the plan to each test's clone; what is installed stays for a run.
Result<std::vector<PostgresServer>> installed_postgres() {
  static const Result<std::vector<PostgresServer>> found = look_for_servers();
  return found;
}

int postgres_major(std::string_view image) {
  const std::string tag = parse_image(image).tag;
  return number_of(std::string_view(tag).substr(0, tag.find_first_of(".-"))).value_or(0);
}

Result<PostgresServer> find_postgres(std::string_view image) {
  MISRULE_TRY(const std::vector<PostgresServer> servers, installed_postgres());
  const auto exact = std::ranges::find(servers, postgres_major(image), &PostgresServer::major);
  if (exact != servers.end()) return *exact;
  const auto debians = std::ranges::find_if(servers, is_debians);
  return debians != servers.end() ? *debians : servers.front();
}

std::string PostgresServer::tool(std::string_view name) const {
  std::string own = fmt::format("{}/{}", bin_folder, name);
  if (::access(own.c_str(), X_OK) == 0) return own;
  const std::vector<int> majors = majors_below(kDebian);
  if (majors.empty()) return std::string(name);
  return fmt::format("{}/{}/bin/{}", kDebian, std::ranges::max(majors), name);
}

}  // namespace misrule::controller::native
