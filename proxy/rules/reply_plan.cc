#include "proxy/rules/reply_plan.h"

#include <algorithm>
#include <cmath>

#include "spec/model/rules.pb.h"

namespace misrule::rules {
namespace {

using codecs::ReplyPlan;
using codecs::Value;
using codecs::ValueMap;

/// Up to here a double tells whole numbers apart.
constexpr double kWholeMax = 9007199254740992.0;

Value number_value(double number) {
  const bool whole = std::trunc(number) == number && std::abs(number) <= kWholeMax;
  return whole ? Value{static_cast<std::int64_t>(number)} : Value{number};
}

/// A protobuf map has no order: by key, so that the same rule does the same.
template <class Map>
ValueMap value_map(const Map& map) {
  ValueMap values;
  for (const auto& [key, value] : map) values.emplace_back(key, plain_value(value));
  std::ranges::sort(values, {}, &ValueMap::value_type::first);
  return values;
}

codecs::ValueList value_list(const google::protobuf::ListValue& list) {
  codecs::ValueList values;
  for (const auto& item : list.values()) values.push_back(plain_value(item));
  return values;
}

ReplyPlan responded(const model::Respond& respond) {
  ReplyPlan plan;
  plan.columns.assign(respond.columns().begin(), respond.columns().end());
  for (const auto& row : respond.rows()) plan.rows.push_back(value_list(row));
  plan.tag = respond.tag();
  plan.has_value = respond.has_value();
  if (respond.has_value()) plan.value = plain_value(respond.value());
  plan.status = respond.status();
  plan.body = respond.body();
  for (const auto& [name, text] : respond.headers()) plan.headers.emplace_back(name, Value{text});
  std::ranges::sort(plan.headers, {}, &ValueMap::value_type::first);
  return plan;
}

ReplyPlan rewritten(const model::Rewrite& rewrite) {
  ReplyPlan plan;
  plan.edits = value_map(rewrite.columns_size() != 0 ? rewrite.columns() : rewrite.body());
  plan.headers = value_map(rewrite.headers());
  plan.status = rewrite.status();
  plan.has_value = rewrite.has_value();
  if (rewrite.has_value()) plan.value = plain_value(rewrite.value());
  plan.decode = rewrite.decode();
  return plan;
}

}  // namespace

codecs::Value plain_value(const google::protobuf::Value& value) {
  using Kind = google::protobuf::Value;
  switch (value.kind_case()) {
    case Kind::kBoolValue:
      return {value.bool_value()};
    case Kind::kNumberValue:
      return number_value(value.number_value());
    case Kind::kStringValue:
      return {value.string_value()};
    case Kind::kListValue:
      return {value_list(value.list_value())};
    case Kind::kStructValue:
      return {value_map(value.struct_value().fields())};
    case Kind::kNullValue:
    case Kind::KIND_NOT_SET:
      break;
  }
  return {};
}

std::shared_ptr<const ReplyPlan> reply_plan(const model::Rule& rule) {
  switch (rule.action_case()) {
    case model::Rule::kRespond:
      return std::make_shared<const ReplyPlan>(responded(rule.respond()));
    case model::Rule::kRewrite:
      return std::make_shared<const ReplyPlan>(rewritten(rule.rewrite()));
    case model::Rule::kDuplicate:
      return std::make_shared<const ReplyPlan>();
    case model::Rule::kCorrupt:
      return std::make_shared<const ReplyPlan>(
          ReplyPlan{.bytes = rule.corrupt().has_bytes() ? rule.corrupt().bytes() : 1,
                    .framing = rule.corrupt().framing(),
                    .of_request = rule.corrupt().side() == "request"});
    case model::Rule::kTruncate:
      return std::make_shared<const ReplyPlan>(ReplyPlan{
          .bytes = rule.truncate().bytes(), .of_request = rule.truncate().side() == "request"});
    default:
      return nullptr;
  }
}

}  // namespace misrule::rules
