#include "tests/controller/steps/scratch_postgres.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace misrule::controller {
namespace {

constexpr const char* kBinaries = "/usr/lib/postgresql/15/bin";

std::uint16_t free_port() {
  const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(probe.fd(), reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(probe.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool run_as_server(const std::string& command) {
  const std::string user = ::geteuid() == 0 ? "runuser -u postgres -- " : "";
  return std::system(("cd / && " + user + command + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

std::unique_ptr<ScratchPostgres> ScratchPostgres::start(std::string& why) {
  if (::access((std::string(kBinaries) + "/initdb").c_str(), X_OK) != 0) {
    why = "PostgreSQL 15 is not installed";
    return nullptr;
  }
  std::unique_ptr<ScratchPostgres> server(new ScratchPostgres);
  server->folder_ = "/var/lib/misrule/test-steps-" + std::to_string(::getpid());
  server->port_ = free_port();
  std::error_code error;
  std::filesystem::create_directories(server->folder_, error);
  if (error) {
    why = server->folder_ + ": " + error.message();
    return nullptr;
  }
  ::chmod("/var/lib/misrule", 0755);
  ::chmod(server->folder_.c_str(), 0777);
  const std::string data = server->folder_ + "/data";
  std::ofstream(server->folder_ + "/password") << "s3cret\n";
  const bool made = run_as_server(fmt::format(
      "{}/initdb -D {} -U anna -E UTF8 --no-sync --auth=scram-sha-256 --pwfile={}/password",
      kBinaries, data, server->folder_));
  server->running_ =
      made && run_as_server(fmt::format("{0}/pg_ctl -D {1} -w -l {2}/log -o '-p {3} -k {2} -F "
                                        "-c listen_addresses=127.0.0.1' start",
                                        kBinaries, data, server->folder_, server->port_));
  if (!server->running_) {
    why = "the scratch server did not start";
    return nullptr;
  }
  return server;
}

ScratchPostgres::~ScratchPostgres() {
  if (running_) {
    run_as_server(fmt::format("{}/pg_ctl -D {}/data -m immediate -w stop", kBinaries, folder_));
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace misrule::controller
