#pragma once

// What is known about one system call, and what becomes of it. Nothing here knows the kernel.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "interceptor/decide/families.h"

namespace misrule::interceptor {

/// Place of a service in the topology.
enum class ServiceId : std::uint32_t {};

enum class FdKind : std::uint8_t {
  kUnknown,  ///< Not a descriptor, or it is gone.
  kFile,     ///< A regular file with a name.
  kDirectory,
  kTcp,
  kSocket,  ///< Any other socket.
  kPipe,
  kStdio,  ///< Descriptor 0, 1 or 2, unless the program put a regular file there.
  kOther,  ///< Terminals, devices, memfd, eventfd.
};

/// "a pipe", for people.
std::string_view fd_kind_text(FdKind kind);

struct CallFacts {
  ServiceId service = {};
  std::string_view syscall = {};  ///< The call's own name: "pwrite64".
  Family family = Family::kConnect;
  FdKind kind = FdKind::kUnknown;
  std::string path = {};         ///< Canonical; empty if the object has none.
  std::string destination = {};  ///< connect: "10.0.0.1:5432".
  std::string to_service = {};   ///< connect: the declared destination, if it is one.
  std::string to_interface = {};
  std::string actor = {};  ///< The process's path in the service's process tree.
  bool observer = false;   ///< The peer is Misrule's own observer or probe.
};

struct Verdict {
  enum class Action : std::uint8_t { kAllow, kDeny, kDelay } action = Action::kAllow;
  int error = 0;          ///< kDeny
  Duration delay = {};    ///< kDelay
  bool reported = false;  ///< A rule matched: an event is due.
  std::string rule = {};  ///< Of the rule that fired or, on kAllow, matched first.
  std::string label = {};
  std::string decision = {};  ///< "deny(ENOSPC)", "delay(3s)", "allow".
};

}  // namespace misrule::interceptor
