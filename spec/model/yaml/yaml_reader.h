#pragma once

// Any protobuf message from YAML: every key is looked up in protobuf's description of the message,
// so that a misspelled one is an error and never a rule that silently means something else.

#include <cstddef>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include "base/result.h"

namespace misrule::model {

/// The text as nodes; its mistakes with line and column. JSON is YAML, too.
Result<YAML::Node> parse_yaml(std::string_view text, const std::string& name);

/// "rules.yaml:12:5"
std::string place_text(const std::string& name, const YAML::Mark& mark);

class YamlReader {
 public:
  explicit YamlReader(std::string name) : name_(std::move(name)) {}

  Status read_message(const YAML::Node& node, google::protobuf::Message& message);

  std::unexpected<Error> refuse(const YAML::Mark& mark, const std::string& what) const {
    return fail(Code::kInvalid, place_text(name_, mark) + ": " + what);
  }

 private:
  Status read_entry(const YAML::Node& key, const YAML::Node& value,
                    google::protobuf::Message& message);
  Status read_items(const YAML::Node& node, const google::protobuf::FieldDescriptor& field,
                    google::protobuf::Message& message);
  Status read_pairs(const YAML::Node& node, const google::protobuf::FieldDescriptor& field,
                    google::protobuf::Message& message);
  Status read_json(const YAML::Node& node, google::protobuf::Message& message);
  Status read_scalar(const YAML::Node& node, const google::protobuf::FieldDescriptor& field,
                     google::protobuf::Message& message);
  template <class T>
  Result<T> number(const YAML::Node& node, const google::protobuf::FieldDescriptor& field) const;
  Status check_oneof(const YAML::Node& key, const google::protobuf::FieldDescriptor& field,
                     const google::protobuf::Message& message) const;

  std::string name_;
  std::size_t nodes_ = 0;
};

}  // namespace misrule::model
