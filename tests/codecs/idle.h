#pragma once

// A host that is idle now and then: units then go their way untold, and nothing else may differ.

#include <functional>
#include <memory>

#include "codecs/conversation.h"
#include "tests/codecs/grind.h"

namespace misrule::codecs {

using MakeConversation = std::function<std::unique_ptr<Conversation>(ConversationHost& host)>;

/// Plays the recording to a host that is idle at random, cut at random, and to one that never is:
/// the same bytes flow, each unit is either decided or counted, and what is told of those that are
/// decided is what is told otherwise. Gives how many units were counted in all.
std::uint64_t expect_same_when_idle(const Recording& recording, const MakeConversation& make);

}  // namespace misrule::codecs
