#pragma once

// How failure travels: Result<T> and Status are values, prefixed with context on the way up.
//
// Not for our own bugs (MISRULE_CHECK), nor for "not yet" (codecs have NeedMore for that).

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace misrule {

/// What code may branch on. People read Error::what instead.
enum class Code : std::uint8_t {
  kInvalid,      ///< The input is wrong: a spec, a rule, a peer's bytes, a command line.
  kNotFound,     ///< What was asked for does not exist.
  kUnsupported,  ///< Understood, and not possible here.
  kLimit,        ///< A stated bound was exceeded.
  kIo,           ///< The operating system or a peer failed.
  kRefused,      ///< A peer answered that it will not serve us.
  kTimeout,      ///< A deadline passed.
  kCancelled,    ///< Somebody asked us to stop.
  kInternal,     ///< Another part of Misrule broke its contract.
};

struct Error {
  Code code = Code::kInternal;
  std::string what = {};  ///< For people: value and bound, and what to do where that is known.
  /// The one field of the input that is to blame, where there is one: "status". A literal.
  std::string_view field = {};

  /// The same error, with what was being done in front: "opening the log: No space left".
  Error with(std::string_view context) && {
    what.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(Code code, std::string what, std::string_view field = {}) {
  return std::unexpected(Error{.code = code, .what = std::move(what), .field = field});
}

/// kIo with the text of `error_number`, an errno: "connect 127.0.0.1:5432: Connection refused".
Error errno_error(std::string_view what, int error_number);

}  // namespace misrule

#define MISRULE_CONCAT_(a, b) a##b
#define MISRULE_CONCAT(a, b) MISRULE_CONCAT_(a, b)
#define MISRULE_TRY_(temporary, declaration, ...)                                   \
  auto&& temporary = (__VA_ARGS__);                                                 \
  if (!temporary.has_value()) return std::unexpected(std::move(temporary).error()); \
  declaration = *std::move(temporary)

/// MISRULE_TRY(const auto port, parse_port(text)); returns the error or goes on with the value.
#define MISRULE_TRY(declaration, ...) \
  MISRULE_TRY_(MISRULE_CONCAT(misrule_try_, __LINE__), declaration, __VA_ARGS__)

/// MISRULE_TRY_VOID(start()); the same for a Status.
#define MISRULE_TRY_VOID(...)                                           \
  if (auto misrule_status = (__VA_ARGS__); !misrule_status.has_value()) \
  return std::unexpected(std::move(misrule_status).error())
