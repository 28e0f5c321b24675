#include "spec/model/yaml/json_value.h"

#include <charconv>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

namespace misrule::model {
namespace {

using google::protobuf::Value;

std::optional<double> number_of(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  const bool starts_so = !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
  return whole && starts_so ? std::optional(number) : std::nullopt;
}

void read_scalar(const YAML::Node& node, Value& out) {
  const std::string& text = node.Scalar();
  const bool quoted = node.Tag() == "!";
  const auto number = number_of(text);
  if (!quoted && (text == "null" || text == "~" || text.empty())) {
    out.set_null_value(google::protobuf::NULL_VALUE);
  } else if (!quoted && (text == "true" || text == "false")) {
    out.set_bool_value(text == "true");
  } else if (!quoted && number) {
    out.set_number_value(*number);
  } else {
    out.set_string_value(text);
  }
}

}  // namespace

bool is_json_kind(const google::protobuf::Descriptor& type) {
  return type.full_name() == "google.protobuf.Value" ||
         type.full_name() == "google.protobuf.ListValue";
}

Value json_from_yaml(const YAML::Node& node) {
  Value out;
  if (node.IsScalar()) {
    read_scalar(node, out);
  } else if (node.IsSequence()) {
    auto& list = *out.mutable_list_value();
    for (const auto& item : node) *list.add_values() = json_from_yaml(item);
  } else if (node.IsMap()) {
    auto& fields = *out.mutable_struct_value()->mutable_fields();
    for (const auto& entry : node) fields[entry.first.Scalar()] = json_from_yaml(entry.second);
  } else {
    out.set_null_value(google::protobuf::NULL_VALUE);
  }
  return out;
}

std::string json_kind_text(const google::protobuf::Message& message) {
  std::string text;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &text);
  return printed.ok() ? text : "null";
}

}  // namespace misrule::model
