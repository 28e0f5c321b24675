#pragma once

// From a waiting call to what rules can know about it.

#include <optional>

#include "interceptor/decide/facts.h"
#include "interceptor/notify/listener.h"

namespace misrule::interceptor {

class ConnectRouter;

/// Kind and path of what the call acts on, and whether that is an observer's connection.
void read_subject(const Notification& call, const SyscallRow& row, ConnectRouter& router,
                  CallFacts& out);

/// How many bytes the call is about, where its arguments say so.
std::optional<std::uint64_t> read_byte_count(const Notification& call, const SyscallRow& row);

}  // namespace misrule::interceptor
