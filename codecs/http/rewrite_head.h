#pragma once

// A reply's head as a rule wants it: its status, its fields.

#include <string>

#include "base/bytes.h"
#include "codecs/facts.h"

namespace misrule::codecs::http {

/// A reply with this status has no body, whatever its fields say.
bool is_bodiless(unsigned status);
bool is_event_stream(ByteView head);

/// With what frames the body made to fit: where the new status has none, or the old one had none.
std::string rewritten_head(ByteView head, unsigned status, const ReplyPlan& plan,
                           bool answers_head);

}  // namespace misrule::codecs::http
