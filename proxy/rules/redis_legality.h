#pragma once

// What may a rule say about Redis? Which commands there are to match, and what a real server could
// answer to them.

#include <string_view>

#include "base/result.h"
#include "codecs/facts.h"
#include "spec/model/rules.pb.h"

namespace misrule::rules {

Status check_redis_match(const model::Rule& rule);

/// Fills in the code or the server's own text, whichever the rule leaves out.
Status legalise_redis_error(model::Rule& rule);

/// respond(), rewrite(), duplicate(), corrupt(), truncate(), hold().
Status legalise_redis_action(model::Rule& rule);

/// Is it what a server says to a client that it does not let in, before anything is asked?
bool is_told_at_connect(const model::Rule& rule);

/// Could a server's answer to this command be made up, changed or doubled so? For other verbs than
/// errors.
bool redis_can_take(const codecs::Verb& verb, const codecs::Facts& facts);

/// Could a server answer this command so? `verb` is an error's; `is_named`: its rule is about this
/// command alone.
bool redis_can_answer(const codecs::Verb& verb, const codecs::Facts& facts, bool is_named);
bool has_wildcard(std::string_view pattern);

}  // namespace misrule::rules
