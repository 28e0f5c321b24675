#pragma once

// What a rule makes up or changes in a reply, from the model to what codecs carry out.

#include <memory>

#include "codecs/facts.h"

namespace google::protobuf {
class Value;
}  // namespace google::protobuf

namespace misrule::model {
class Rule;
}  // namespace misrule::model

namespace misrule::rules {

codecs::Value plain_value(const google::protobuf::Value& value);
/// Of a legal rule; null if its action makes up and changes nothing.
std::shared_ptr<const codecs::ReplyPlan> reply_plan(const model::Rule& rule);

}  // namespace misrule::rules
