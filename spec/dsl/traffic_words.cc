#include "spec/dsl/traffic_words.h"

#include <algorithm>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

namespace misrule::dsl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using model::Protocol;
using star::Value;

/// Up to here a double tells whole numbers apart.
constexpr std::int64_t kWholeMax = 9007199254740992;

/// A pattern: text, or a number as it is written.
std::optional<std::string> pattern_text(const Value& value) {
  if (const auto text = value.as_string()) return std::string(*text);
  if (const auto number = value.as_int()) return fmt::format("{}", *number);
  return std::nullopt;
}

void add_pair(Message& message, const FieldDescriptor& field, const std::string& key,
              const std::string& pattern) {
  Message& entry = *message.GetReflection()->AddMessage(&message, &field);
  const auto& type = *entry.GetDescriptor();
  entry.GetReflection()->SetString(&entry, type.FindFieldByName("key"), key);
  entry.GetReflection()->SetString(&entry, type.FindFieldByName("value"), pattern);
}

/// {1: "7*"}, {"x-tenant": "acme"}; a list counts its items from 1.
std::optional<std::string> put_pairs(Message& message, const FieldDescriptor& field,
                                     const Value& value) {
  constexpr std::string_view kWanted = "a dict of patterns, such as {\"name\": \"value*\"}";
  if (value.as_list() != nullptr || value.as_tuple() != nullptr) {
    std::size_t position = 0;
    for (const Value& item : value.elements()) {
      ++position;
      if (item.is_none()) continue;
      const auto pattern = pattern_text(item);
      if (!pattern) return std::string(kWanted);
      add_pair(message, field, fmt::format("{}", position), *pattern);
    }
    return std::nullopt;
  }
  const star::Dict* dict = value.as_dict();
  if (dict == nullptr) return std::string(kWanted);
  std::size_t cursor = 0;
  while (const star::Table::Entry* entry = dict->table().next(cursor)) {
    const auto key = pattern_text(entry->key);
    const auto pattern = pattern_text(entry->value);
    if (!key || !pattern) return std::string(kWanted);
    add_pair(message, field, *key, *pattern);
  }
  return std::nullopt;
}

std::optional<std::string> put(Message& message, std::string_view name, const Value& value) {
  const FieldDescriptor& field = *message.GetDescriptor()->FindFieldByName(std::string(name));
  if (field.is_map()) return put_pairs(message, field, value);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    const auto truth = value.as_bool();
    if (!truth) return "True or False";
    message.GetReflection()->SetBool(&message, &field, *truth);
    return std::nullopt;
  }
  const auto pattern = pattern_text(value);
  if (!pattern) return "string";
  message.GetReflection()->SetString(&message, &field, *pattern);
  return std::nullopt;
}

bool add_fields(const star::Dict& dict, google::protobuf::Struct& out) {
  std::size_t cursor = 0;
  while (const star::Table::Entry* entry = dict.table().next(cursor)) {
    const auto key = entry->key.as_string();
    auto value = key ? json_value(entry->value) : std::nullopt;
    if (!value) return false;
    (*out.mutable_fields())[std::string(*key)] = *std::move(value);
  }
  return true;
}

}  // namespace

const std::array<TrafficWord, kTrafficWords>& traffic_words() {
  static constexpr std::array<TrafficWord, kTrafficWords> kWords = {{
      {"user", Protocol::kPostgres, "user"},
      {"database", Protocol::kPostgres, "database"},
      {"application_name", Protocol::kPostgres, "application_name"},
      {"in_transaction", Protocol::kPostgres, "in_transaction"},
      {"statement", Protocol::kPostgres, "statement"},
      {"table", Protocol::kPostgres, "table"},
      {"schema", Protocol::kPostgres, "schema"},
      {"column", Protocol::kPostgres, "column"},
      {"query_regex", Protocol::kPostgres, "query_regex"},
      {"prepared", Protocol::kPostgres, "prepared"},
      {"params", Protocol::kPostgres, "params"},
      {"moment", Protocol::kPostgres, "moment"},
      {"method", Protocol::kHttp, "method"},
      {"host", Protocol::kHttp, "host"},
      {"header", Protocol::kHttp, "headers"},
      {"request_body", Protocol::kHttp, "body"},
      {"reply_status", Protocol::kHttp, "reply_status"},
      {"websocket", Protocol::kHttp, "websocket"},
      {"sse", Protocol::kHttp, "sse"},
      {"direction", Protocol::kHttp, "direction"},
      {"command", Protocol::kRedis, "command"},
      {"key", Protocol::kRedis, "key"},
      {"args", Protocol::kRedis, "args"},
      {"db", Protocol::kRedis, "db"},
      {"channel", Protocol::kRedis, "channel"},
  }};
  return kWords;
}

bool TrafficMatch::is_about(Protocol protocol) const {
  return std::ranges::any_of(said,
                             [&](const TrafficWord& word) { return word.protocol == protocol; });
}

std::optional<std::string> TrafficMatch::take(const TrafficWord& word, const Value& value) {
  said.push_back(word);
  if (word.protocol == Protocol::kPostgres) return put(postgres, word.field, value);
  if (word.protocol == Protocol::kHttp) return put(http, word.field, value);
  return put(redis, word.field, value);
}

std::optional<std::string> TrafficMatch::take_query(const Value& value) {
  if (value.as_string()) return take({"query", Protocol::kPostgres, "query"}, value);
  if (value.as_dict() != nullptr) return take({"query", Protocol::kHttp, "query"}, value);
  return "a statement's pattern, or a dict of an URL's parameters";
}

std::optional<google::protobuf::Value> json_value(const Value& value) {
  google::protobuf::Value out;
  if (value.is_none()) {
    out.set_null_value(google::protobuf::NULL_VALUE);
  } else if (const auto truth = value.as_bool()) {
    out.set_bool_value(*truth);
  } else if (const auto number = value.as_int()) {
    if (*number > kWholeMax || *number < -kWholeMax) return std::nullopt;
    out.set_number_value(static_cast<double>(*number));
  } else if (const auto real = value.as_float()) {
    out.set_number_value(*real);
  } else if (const auto text = value.as_string()) {
    out.set_string_value(std::string(*text));
  } else if (const star::Dict* dict = value.as_dict(); dict != nullptr) {
    if (!add_fields(*dict, *out.mutable_struct_value())) return std::nullopt;
  } else if (value.as_list() != nullptr || value.as_tuple() != nullptr) {
    out.mutable_list_value();
    for (const Value& item : value.elements()) {
      auto inner = json_value(item);
      if (!inner) return std::nullopt;
      *out.mutable_list_value()->add_values() = *std::move(inner);
    }
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace misrule::dsl
