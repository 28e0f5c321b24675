#include "spec/model/yaml/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/descriptor.h>

#include "base/nearest.h"
#include "spec/model/yaml/json_value.h"

namespace misrule::model {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

constexpr std::size_t kTextBytesMax = std::size_t{16} << 20U;
/// Aliases can make a small text large.
constexpr std::size_t kNodesMax = 2'000'000;

std::string known_keys(const Descriptor& type, std::vector<std::string>& keys) {
  for (int i = 0; i < type.field_count(); ++i) keys.push_back(type.field(i)->name());
  return fmt::format("{}", fmt::join(keys, ", "));
}

/// By its own name, or as JSON of other programs spells it ("durationUs").
const FieldDescriptor* find_field(const Descriptor& type, const std::string& key) {
  const FieldDescriptor* field = type.FindFieldByName(key);
  return field != nullptr ? field : type.FindFieldByCamelcaseName(key);
}

}  // namespace

std::string place_text(const std::string& name, const YAML::Mark& mark) {
  return fmt::format("{}:{}:{}", name, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1);
}

Result<YAML::Node> parse_yaml(std::string_view text, const std::string& name) {
  if (text.size() > kTextBytesMax) {
    return fail(Code::kLimit,
                fmt::format("{}: {} bytes exceed {}", name, text.size(), kTextBytesMax));
  }
  try {
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {  // yaml-cpp's way to say that a text is wrong.
    return fail(Code::kInvalid, place_text(name, error.mark) + ": " + error.msg);
  }
}

/// A value of JSON's kinds, bounded by yaml-cpp's depth of nesting and by kNodesMax.
Status YamlReader::read_json(const YAML::Node& node, Message& message) {
  if (const auto* value = dynamic_cast<google::protobuf::Value*>(&message); value == nullptr) {
    if (!node.IsSequence()) return refuse(node.Mark(), "want a list");
    message.CopyFrom(json_from_yaml(node).list_value());
    return {};
  }
  message.CopyFrom(json_from_yaml(node));
  return {};
}

Status YamlReader::read_pairs(const YAML::Node& node, const FieldDescriptor& field,
                              Message& message) {
  if (!node.IsMap()) {
    return refuse(node.Mark(), fmt::format("\"{}\" is a map, by name", field.name()));
  }
  const FieldDescriptor& value = *field.message_type()->FindFieldByName("value");
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return refuse(entry.first.Mark(), "a key is a word");
    if (!seen.insert(entry.first.Scalar()).second) {
      return refuse(entry.first.Mark(),
                    fmt::format("\"{}\" stands here twice", entry.first.Scalar()));
    }
    Message& pair = *message.GetReflection()->AddMessage(&message, &field);
    pair.GetReflection()->SetString(&pair, field.message_type()->FindFieldByName("key"),
                                    entry.first.Scalar());
    if (value.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      MISRULE_TRY_VOID(read_scalar(entry.second, value, pair));
    } else {
      MISRULE_TRY_VOID(
          read_message(entry.second, *pair.GetReflection()->MutableMessage(&pair, &value)));
    }
  }
  return {};
}

Status YamlReader::read_message(const YAML::Node& node, Message& message) {
  if (++nodes_ > kNodesMax) return refuse(node.Mark(), "the file is too large");
  if (is_json_kind(*message.GetDescriptor())) return read_json(node, message);
  if (!node.IsMap()) {
    return refuse(node.Mark(),
                  fmt::format("want the keys of a {}", message.GetDescriptor()->name()));
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return refuse(entry.first.Mark(), "a key is a word");
    if (!seen.insert(entry.first.Scalar()).second) {
      return refuse(entry.first.Mark(),
                    fmt::format("\"{}\" stands here twice", entry.first.Scalar()));
    }
    MISRULE_TRY_VOID(read_entry(entry.first, entry.second, message));
  }
  return {};
}

Status YamlReader::check_oneof(const YAML::Node& key, const FieldDescriptor& field,
                               const Message& message) const {
  const auto* choice = field.real_containing_oneof();
  if (choice == nullptr || !message.GetReflection()->HasOneof(message, choice)) return {};
  const auto* other = message.GetReflection()->GetOneofFieldDescriptor(message, choice);
  return refuse(key.Mark(), fmt::format("a rule has one {}: \"{}\" or \"{}\"", choice->name(),
                                        other->name(), field.name()));
}

Status YamlReader::read_entry(const YAML::Node& key, const YAML::Node& value, Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  const FieldDescriptor* field = find_field(type, key.Scalar());
  if (field == nullptr) {
    std::vector<std::string> keys;
    const std::string list = known_keys(type, keys);
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    return refuse(key.Mark(), fmt::format("unknown key \"{}\"{}; a {} has {}", key.Scalar(),
                                          did_you_mean(key.Scalar(), views), type.name(), list));
  }
  MISRULE_TRY_VOID(check_oneof(key, *field, message));
  if (field->is_repeated()) return read_items(value, *field, message);
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
    return read_scalar(value, *field, message);
  return read_message(value, *message.GetReflection()->MutableMessage(&message, field));
}

Status YamlReader::read_items(const YAML::Node& node, const FieldDescriptor& field,
                              Message& message) {
  if (node.IsNull()) return {};
  if (field.is_map()) return read_pairs(node, field, message);
  if (!node.IsSequence()) return refuse(node.Mark(), fmt::format("\"{}\" is a list", field.name()));
  for (const auto& item : node) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (!item.IsScalar()) return refuse(item.Mark(), "want a word");
      message.GetReflection()->AddString(&message, &field, item.Scalar());
      continue;
    }
    MISRULE_TRY_VOID(read_message(item, *message.GetReflection()->AddMessage(&message, &field)));
  }
  return {};
}

template <class T>
Result<T> YamlReader::number(const YAML::Node& node, const FieldDescriptor& field) const {
  const std::string& text = node.Scalar();
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return refuse(node.Mark(),
                  fmt::format("{}: \"{}\" is not a number that fits", field.name(), text));
  }
  return value;
}

Status YamlReader::read_scalar(const YAML::Node& node, const FieldDescriptor& field,
                               Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!node.IsScalar()) return refuse(node.Mark(), fmt::format("{} is one value", field.name()));
  const std::string& text = node.Scalar();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        return refuse(node.Mark(), fmt::format("{} is true or false", field.name()));
      }
      reflection.SetBool(&message, &field, text == "true");
      return {};
    case FieldDescriptor::CPPTYPE_UINT32: {
      MISRULE_TRY(const auto value, number<std::uint32_t>(node, field));
      reflection.SetUInt32(&message, &field, value);
      return {};
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      MISRULE_TRY(const auto value, number<std::uint64_t>(node, field));
      reflection.SetUInt64(&message, &field, value);
      return {};
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      MISRULE_TRY(const auto value, number<double>(node, field));
      reflection.SetDouble(&message, &field, value);
      return {};
    }
    case FieldDescriptor::CPPTYPE_STRING:
      reflection.SetString(&message, &field, text);
      return {};
    default:
      return refuse(node.Mark(), fmt::format("{} cannot be read", field.name()));
  }
}

}  // namespace misrule::model
