#pragma once

// What may a rule say about HTTP/1, and what could a real server answer?

#include "base/result.h"
#include "spec/model/rules.pb.h"

namespace misrule::rules {

Status check_http_match(const model::HttpMatch& match);
/// Fills in the default status.
Status legalise_http_error(model::ErrorReply& error);
/// respond(), rewrite(), duplicate(), corrupt(), truncate(), hold().
Status legalise_http_action(model::Rule& rule);

}  // namespace misrule::rules
