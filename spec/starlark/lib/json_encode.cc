// Values to JSON text: json.encode, json.indent, json.encode_indent and star::encode_json.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/function.h"
#include "spec/starlark/json.h"
#include "spec/starlark/lib/json_module.h"

namespace misrule::star {
namespace {

constexpr std::size_t kDepthMax = 500;

// Everything below 0x20 and DEL is escaped, and the two separators that are no line ends in JSON
// but are in JavaScript.
void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  out.push_back('"');
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view three = text.substr(i, 3);
    if (const std::size_t index = kSpecial.find(c); index != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kNames[index]);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9") {
      out += three.back() == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

/// Where in the value the encoder is, for messages: "at list index 0: ".
class JsonWriter {
 public:
  std::string take() { return std::move(out_); }

  void write(const Value& value) {
    if (const Object* object = value.as_object()) {
      if (const auto plain = object->unwrapped()) return write(*plain);
      return write_object(value);
    }
    if (value.is_none()) {
      out_ += "null";
    } else if (const auto truth = value.as_bool()) {
      out_ += *truth ? "true" : "false";
    } else if (is_int(value)) {
      out_ += int_to_string(value);
    } else if (const auto number = value.as_float()) {
      write_float(*number);
    } else if (const auto text = value.as_string()) {
      append_quoted(out_, *text);
    } else {
      stop(fmt::format("cannot encode {} as JSON", value.type_name()));
    }
  }

 private:
  [[noreturn]] void stop(const std::string& what) const {
    std::string where;
    for (const std::string& step : path_) where += step + ": ";
    raise(code::kValue, "json.encode: " + where + what);
  }

  void write_float(double number) {
    if (!std::isfinite(number)) {
      stop(fmt::format("cannot encode non-finite float {}", float_to_string(number)));
    }
    out_ += float_to_string(number);
  }

  void write_object(const Value& value) {
    const Object* object = value.as_object();
    if (std::ranges::find(open_, object) != open_.end()) stop("cycle in JSON structure");
    if (open_.size() >= kDepthMax) stop(fmt::format("nested deeper than {}", kDepthMax));
    open_.push_back(object);
    if (const auto entries = object->mapping_items()) {
      write_mapping(*entries);
    } else if (const auto* fields = value.as<Struct>()) {
      write_struct(*fields);
    } else {
      write_sequence(value);
    }
    open_.pop_back();
  }

  void write_mapping(const std::vector<std::pair<Value, Value>>& entries) {
    std::vector<std::pair<std::string_view, const Value*>> sorted;
    for (const auto& [key, value] : entries) {
      const auto name = key.as_string();
      if (!name) stop(fmt::format("dict has {} key, want string", key.type_name()));
      sorted.emplace_back(*name, &value);
    }
    std::ranges::sort(sorted, {}, [](const auto& entry) { return entry.first; });
    std::string_view separator = "{";
    for (const auto& [name, value] : sorted) {
      out_ += separator;
      append_quoted(out_, name);
      out_.push_back(':');
      write_part(fmt::format("in dict key {:?}", name), *value);
      separator = ",";
    }
    out_ += sorted.empty() ? "{}" : "}";
  }

  void write_struct(const Struct& value) {
    std::string_view separator = "{";
    for (const auto& [name, field] : value.fields()) {
      out_ += separator;
      append_quoted(out_, name.text());
      out_.push_back(':');
      write_part(fmt::format("in field .{}", name.text()), field);
      separator = ",";
    }
    out_ += value.fields().empty() ? "{}" : "}";
  }

  void write_sequence(const Value& value) {
    Object* object = value.as_object();
    const std::unique_ptr<Iterator> items = object->iterate();
    if (items == nullptr) stop(fmt::format("cannot encode {} as JSON", value.type_name()));
    std::string_view separator = "[";
    std::size_t index = 0;
    while (const auto item = items->next()) {
      out_ += separator;
      write_part(fmt::format("at {} index {}", value.type_name(), index), *item);
      separator = ",";
      ++index;
    }
    out_ += index == 0 ? "[]" : "]";
  }

  void write_part(std::string step, const Value& value) {
    path_.push_back(std::move(step));
    write(value);
    path_.pop_back();
  }

  std::string out_;
  std::vector<const Object*> open_;
  std::vector<std::string> path_;
};

/// How indented text begins its lines.
struct Indentation {
  std::string prefix = {};
  std::string step = "\t";
};

/// Lays valid JSON out in lines; what is in strings stays as it is.
class JsonIndenter {
 public:
  JsonIndenter(std::string_view text, const Indentation& indentation)
      : text_(text), indentation_(indentation) {}

  std::string run() {
    for (at_ = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        copy_string();
      } else if (!std::string_view(" \t\r\n").contains(c)) {
        place(c);
      }
    }
    return std::move(out_);
  }

 private:
  void copy_string() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    out_ += text_.substr(start, at_ - start + 1);
  }

  void place(char c) {
    if (c == '{' || c == '[') {
      out_.push_back(c);
      if (next_is_close()) return;
      ++depth_;
      new_line();
    } else if (c == '}' || c == ']') {
      if (out_.back() != '{' && out_.back() != '[') {
        --depth_;
        new_line();
      }
      out_.push_back(c);
    } else {
      out_.push_back(c);
      if (c == ',') new_line();
      if (c == ':') out_.push_back(' ');
    }
  }

  bool next_is_close() const {
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
    return next != std::string_view::npos && (text_[next] == '}' || text_[next] == ']');
  }

  void new_line() {
    out_.push_back('\n');
    out_ += indentation_.prefix;
    for (std::size_t i = 0; i < depth_; ++i) out_ += indentation_.step;
  }

  std::string_view text_;
  const Indentation& indentation_;
  std::string out_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

std::string encode_json(const Value& value) {
  JsonWriter writer;
  writer.write(value);
  return writer.take();
}

Value json_encode(Args& args) {
  Value value;
  args.unpack_positional({required("x", value)});
  return make_string(encode_json(value));
}

Value json_indent(Args& args) {
  std::string text;
  Indentation indentation;
  args.unpack({required("s", text), optional("prefix", indentation.prefix).by_keyword(),
               optional("indent", indentation.step).by_keyword()});
  if (const Result<Value> valid = decode_json(text); !valid) {
    args.fail(code::kValue, valid.error().what);
  }
  return make_string(JsonIndenter(text, indentation).run());
}

Value json_encode_indent(Args& args) {
  Value value;
  Indentation indentation;
  args.unpack({required("x", value), optional("prefix", indentation.prefix).by_keyword(),
               optional("indent", indentation.step).by_keyword()});
  const std::string text = encode_json(value);
  return make_string(JsonIndenter(text, indentation).run());
}

Value json_module() {
  const auto member = [](const char* name, NativePointer fn) {
    return std::pair{Symbol(name), NativeFunction::make(std::string("json.") + name, fn)};
  };
  return Value::object(make<Namespace>(
      "json", std::vector<std::pair<Symbol, Value>>{
                  member("decode", json_decode), member("encode", json_encode),
                  member("encode_indent", json_encode_indent), member("indent", json_indent)}));
}

}  // namespace misrule::star
