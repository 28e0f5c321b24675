#pragma once

// A value of JSON's kinds where a message has one: any YAML may stand there.

#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <yaml-cpp/yaml.h>

namespace misrule::model {

/// google.protobuf.Value and ListValue: their YAML is the value itself.
bool is_json_kind(const google::protobuf::Descriptor& type);
/// Plain scalars are what YAML 1.2's core schema says they are; quoted ones are strings.
google::protobuf::Value json_from_yaml(const YAML::Node& node);
/// A Value or ListValue on one line.
std::string json_kind_text(const google::protobuf::Message& message);

}  // namespace misrule::model
