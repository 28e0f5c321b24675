#pragma once

// What may a rule say about HTTP/1, and what could a real server answer?

#include "base/result.h"
#include "spec/model/rules.pb.h"

namespace misrule::rules {

Status check_http_match(const model::HttpMatch& match);
/// error(); fills in the default status.
Status legalise_http_error(model::Rule& rule);
/// respond(), rewrite(), duplicate(), corrupt(), truncate(), hold().
Status legalise_http_action(const model::Rule& rule);
/// Every action: is it one that can befall a message, or a reply that has begun?
Status check_http_moment(const model::Rule& rule);

}  // namespace misrule::rules
