#pragma once

// Which PostgreSQL servers this machine has, and which of them serves an image.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace misrule::controller::native {

struct PostgresServer {
  int major = 0;
  std::string bin_folder = {};  ///< "/usr/lib/postgresql/15/bin"
  std::string version = {};     ///< "15.20"

  /// The program of that name: this server's own, or where it came without clients, Debian's.
  std::string tool(std::string_view name) const;
};

/// Debian's, and those that `tools/setup --postgres=MAJORS` fetched; the newest first, one for each
/// major.
Result<std::vector<PostgresServer>> installed_postgres();

/// For "postgres:17.2-alpine" the server of major 17. Where there is none, and for a tag that names
/// none ("latest"), Debian's newest; kNotFound says which package to install.
Result<PostgresServer> find_postgres(std::string_view image);

/// The major that an image's tag names; 0: none.
int postgres_major(std::string_view image);

}  // namespace misrule::controller::native
