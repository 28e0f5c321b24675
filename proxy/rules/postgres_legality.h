#pragma once

// What may a rule say about PostgreSQL, and what could a real server answer?

#include "base/result.h"
#include "spec/model/rules.pb.h"

namespace misrule::rules {

Status check_postgres_match(const model::PostgresMatch& match);
/// Fills in the code or the message, whichever the rule leaves out.
Status legalise_postgres_error(model::ErrorReply& error);
/// respond(), rewrite(), duplicate(), corrupt(), truncate(), hold().
Status legalise_postgres_action(model::Rule& rule);
/// What can happen in a moment that is no statement.
Status check_postgres_moment(const model::Rule& rule);

}  // namespace misrule::rules
