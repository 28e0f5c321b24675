#pragma once

// One Redis command and its reply, on a connection of its own.

#include "controller/steps/steps.h"
#include "controller/steps/waiting.h"

namespace misrule::controller {

/// Fills in everything but `took`. With a password in `target`, AUTH goes first. An error reply is
/// a reply that is not ok: its first word is the code ("WRONGTYPE").
dsl::StepReply run_redis(const dsl::RedisStep& step, const StepTarget& target,
                         const Patience& patience);

}  // namespace misrule::controller
