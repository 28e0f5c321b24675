// Values to JSON text.

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/json.h"
#include "spec/starlark/lib/json_text.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kControls = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  out.push_back('"');
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    text.remove_prefix(next.size);
    const std::size_t named = next.point < 0x80 && next.point != 0
                                  ? kControls.find(static_cast<char>(next.point))
                                  : std::string_view::npos;
    const bool hidden =
        next.point < 0x20 || next.point == 0x7F || next.point == 0x2028 || next.point == 0x2029;
    if (named != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kNames[named]);
    } else if (hidden) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(next.point));
    } else {
      append_utf8(out, next.point);
    }
  }
  out.push_back('"');
}

namespace {

class JsonWriter {
 public:
  explicit JsonWriter(std::string_view name) : name_(name) {}

  std::string write(const Value& value) {
    one(value);
    return out_.take();
  }

 private:
  static constexpr std::size_t kDepthMax = 400;

  [[noreturn]] void fail(std::string_view code, const std::string& what) const {
    raise(code, fmt::format("{}: {}", name_, what));
  }

  void text(std::string_view piece) { out_.text(piece); }

  void string(std::string_view piece) {
    std::string quoted;
    append_json_string(quoted, piece);
    text(quoted);
  }

  void one(const Value& value) {
    switch (value.kind()) {
      case Kind::kNone:
        return text("null");
      case Kind::kBool:
        return text(value.truth() ? "true" : "false");
      case Kind::kInt:
        return text(int_to_string(value));
      case Kind::kFloat:
        if (!std::isfinite(float_of(value))) {
          fail(code::kValue,
               fmt::format("cannot encode non-finite float {}", float_to_string(float_of(value))));
        }
        return text(float_to_string(float_of(value)));
      case Kind::kString:
        return string(string_of(value).text());
      default:
        break;
    }
    const Object* object = value.as_object();
    if (object == nullptr)
      fail(code::kType, fmt::format("cannot encode {} as JSON", value.type_name()));
    if (const auto plain = object->unwrapped()) return one(*plain);
    if (std::find(path_.begin(), path_.end(), object) != path_.end()) {
      fail(code::kValue, "cycle in JSON structure");
    }
    if (path_.size() >= kDepthMax) fail(code::kLimit, "nesting is too deep");
    path_.push_back(object);
    container(value);
    path_.pop_back();
  }

  void container(const Value& value) {
    const Object* object = value.as_object();
    if (auto items = object->mapping_items()) return mapping(std::move(*items));
    if (is_iterable(value)) return array(value);
    if (value.kind() == Kind::kStruct || value.kind() == Kind::kHost) return fields(value);
    fail(code::kType, fmt::format("cannot encode {} as JSON", value.type_name()));
  }

  void at(const std::string& where, const Value& value) {
    try {
      one(value);
    } catch (EvalError& error) {
      std::string& message = error.diagnostic().message;
      const std::string prefix = fmt::format("{}: ", name_);
      message.insert(message.starts_with(prefix) ? prefix.size() : 0, where + ": ");
      throw;
    }
  }

  void array(const Value& value) {
    text("[");
    std::size_t index = 0;
    Iteration iteration(value);
    for (Value item; iteration.next(item); ++index) {
      if (index > 0) text(",");
      at(fmt::format("at {} index {}", value.type_name(), index), item);
    }
    text("]");
  }

  void mapping(std::vector<std::pair<Value, Value>> items) {
    for (const auto& [key, item] : items) {
      if (!key.as_string()) {
        fail(code::kType, fmt::format("dict has {} key, want string", key.type_name()));
      }
    }
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
      return *a.first.as_string() < *b.first.as_string();
    });
    text("{");
    bool first = true;
    for (const auto& [key, item] : items) {
      if (!first) text(",");
      first = false;
      string(*key.as_string());
      text(":");
      at(fmt::format("in dict key {}", key.repr()), item);
    }
    text("}");
  }

  void fields(const Value& value) {
    text("{");
    bool first = true;
    for (const Symbol name : attribute_names(value)) {
      const std::optional<Value> field = value.attribute(name);
      if (!field || field->is_callable()) continue;
      if (!first) text(",");
      first = false;
      string(name.text());
      text(":");
      at(fmt::format("in field .{}", name.text()), *field);
    }
    text("}");
  }

  std::string_view name_;
  Writer out_;
  std::vector<const Object*> path_;
};

}  // namespace

std::string encode_json(const Value& value) { return encode_json_as("json.encode", value); }

std::string encode_json_as(std::string_view name, const Value& value) {
  return JsonWriter(name).write(value);
}

}  // namespace misrule::star
