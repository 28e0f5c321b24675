#pragma once

// A tar archive, compressed with zstd, in memory. What is read may be hostile.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace misrule::controller {

/// Contents by name; names are relative paths without "..".
using ArchiveFiles = std::map<std::string, std::string>;

struct ArchiveBounds {
  std::uint64_t bytes_max = std::uint64_t{256} << 20U;  ///< Of all contents, unpacked.
  std::size_t files_max = 20'000;
};

/// The same files give the same bytes: no times, no owners.
Status write_archive(const std::string& path, const ArchiveFiles& files);

/// kInvalid, with what is wrong: no such archive, cut, a name that leads elsewhere, a link, two
/// files of one name, more than `bounds` allow.
Result<ArchiveFiles> read_archive(const std::string& path, const ArchiveBounds& bounds = {});

}  // namespace misrule::controller
