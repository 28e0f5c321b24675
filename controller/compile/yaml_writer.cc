// A rule file as YAML, by protobuf's own description of it: a new field needs no code here.

#include <map>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "controller/compile/rules_file.h"
#include "spec/model/yaml/json_value.h"

namespace misrule::controller {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

/// May the text stand without quotes and still be read as the same string?
bool is_plain(std::string_view text) {
  constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no",
                                         "on",   "off",   "y",    "n",   "~"};
  if (text.empty() || text.back() == ' ') return false;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (!letter(text.front())) return false;
  const bool simple = std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '/' || c == '-' || c == ' ';
  });
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return simple && std::ranges::find(kWords, lower) == std::end(kWords);
}

std::string scalar_text(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

class YamlWriter {
 public:
  std::string take() { return std::move(out_); }
  void write_message(const Message& message, int indent);

 private:
  void write_field(const Message& message, const FieldDescriptor& field, int indent);
  void write_pairs(const Message& message, const FieldDescriptor& field, int indent);
  void write_items(const Message& message, const FieldDescriptor& field, int indent);
  void start_line(int indent);
  static std::string value_text(const Message& message, const FieldDescriptor& field);

  std::string out_;
  bool after_dash_ = false;  // The first line of an item stands behind its dash.
};

void YamlWriter::start_line(int indent) {
  if (!std::exchange(after_dash_, false)) out_.append(static_cast<std::size_t>(indent), ' ');
}

std::string YamlWriter::value_text(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_UINT32:
      return fmt::format("{}", reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return fmt::format("{}", reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return fmt::format("{}", reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return fmt::format("{}", reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return fmt::format("{}", reflection.GetDouble(message, &field));
    default:
      return scalar_text(reflection.GetString(message, &field));
  }
}

void YamlWriter::write_message(const Message& message, int indent) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);  // In the order of their numbers.
  for (const FieldDescriptor* field : fields) write_field(message, *field, indent);
}

void YamlWriter::write_field(const Message& message, const FieldDescriptor& field, int indent) {
  start_line(indent);
  out_ += field.name() + ":";
  if (field.is_map()) {
    out_ += '\n';
    return write_pairs(message, field, indent + 2);
  }
  if (field.is_repeated()) {
    out_ += '\n';
    return write_items(message, field, indent);
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    out_ += " " + value_text(message, field) + "\n";
    return;
  }
  const Message& inner = message.GetReflection()->GetMessage(message, &field);
  if (model::is_json_kind(*inner.GetDescriptor())) {
    out_ += " " + model::json_kind_text(inner) + "\n";
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  inner.GetReflection()->ListFields(inner, &fields);
  out_ += fields.empty() ? " {}\n" : "\n";
  write_message(inner, indent + 2);
}

/// By key: a protobuf map has no order of its own.
void YamlWriter::write_pairs(const Message& message, const FieldDescriptor& field, int indent) {
  const auto& type = *field.message_type();
  const FieldDescriptor& value = *type.FindFieldByName("value");
  std::map<std::string, std::string> lines;
  const int count = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < count; ++i) {
    const Message& pair = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    const Reflection& reflection = *pair.GetReflection();
    lines[reflection.GetString(pair, type.FindFieldByName("key"))] =
        value.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
            ? model::json_kind_text(reflection.GetMessage(pair, &value))
            : value_text(pair, value);
  }
  for (const auto& [key, text] : lines) {
    start_line(indent);
    out_ += scalar_text(key) + ": " + text + "\n";
  }
}

void YamlWriter::write_items(const Message& message, const FieldDescriptor& field, int indent) {
  const int count = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < count; ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      start_line(indent + 2);
      out_ +=
          "- " + scalar_text(message.GetReflection()->GetRepeatedString(message, &field, i)) + "\n";
      continue;
    }
    const Message& item = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    if (const auto* rule = dynamic_cast<const model::Rule*>(&item); rule != nullptr) {
      start_line(indent + 2);
      out_ += fmt::format("# {}\n", describe_rule(*rule));
    }
    start_line(indent + 2);
    if (model::is_json_kind(*item.GetDescriptor())) {
      out_ += "- " + model::json_kind_text(item) + "\n";
      continue;
    }
    const std::size_t before = out_.size();
    out_ += "- ";
    after_dash_ = true;
    write_message(item, indent + 4);
    if (std::exchange(after_dash_, false)) {
      out_.resize(before);
      out_ += "- {}\n";
    }
  }
}

}  // namespace

std::string rules_to_yaml(const model::RuleFile& file) {
  YamlWriter writer;
  writer.write_message(file, 0);
  return writer.take();
}

}  // namespace misrule::controller
