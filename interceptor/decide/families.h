#pragma once

// Which system calls a family has, and where in their arguments the object of the call is.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace misrule::interceptor {

enum class Family : std::uint8_t { kConnect, kRead, kWrite, kFsync, kOpen };
inline constexpr std::size_t kFamilyCount = 5;

std::string_view family_name(Family family);
std::optional<Family> family_from_name(std::string_view name);

/// How a call names what it acts on.
enum class Subject : std::uint8_t {
  kDescriptor,   ///< Argument `subject_arg` is a descriptor.
  kPath,         ///< Argument `subject_arg` points to a path, relative to the working directory.
  kPathAt,       ///< The same, relative to the directory descriptor in the argument before it.
  kDestination,  ///< A socket, then a socket address and its size.
  kMapping,      ///< An address in a mapped file.
};

/// How a call says how many bytes it is about.
enum class Count : std::uint8_t {
  kNone,
  kBytes,    ///< Argument `count_arg` is the number.
  kPieces,   ///< Argument `count_arg` points to iovecs, the one after it is their number.
  kMessage,  ///< Argument `count_arg` points to a msghdr.
};

/// One call in one family. A call that reads from one descriptor and writes to another stands in
/// both.
struct SyscallRow {
  const char* name;
  Family family;
  Subject subject;
  std::uint8_t subject_arg;
  Count count;
  std::uint8_t count_arg;
  bool sockets_only = false;  ///< Works on sockets alone: send*, recv*.
};

std::span<const SyscallRow> syscall_rows();

}  // namespace misrule::interceptor
