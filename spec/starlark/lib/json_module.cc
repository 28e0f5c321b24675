// json.encode, json.decode, json.indent, json.encode_indent.

#include "fmt/format.h"
#include "spec/starlark/args.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/function.h"
#include "spec/starlark/json.h"
#include "spec/starlark/lib/json_text.h"
#include "spec/starlark/lib/universe.h"

namespace misrule::star {
namespace {

Value json_encode(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  return make_string(encode_json(x));
}

Value json_decode(Args& args) {
  std::string_view text;
  Value fallback = Value::unbound();
  args.unpack({required("x", text), optional("default", fallback)});
  Result<Value> out = decode_json(text);
  if (out) return std::move(*out);
  if (!fallback.is_unbound()) return fallback;
  args.fail(code::kValue, out.error().what);
}

Value json_indent(Args& args) {
  std::string_view text;
  std::string_view prefix;
  std::string_view indent = "\t";
  args.unpack({required("str", text), optional("prefix", prefix).by_keyword(),
               optional("indent", indent).by_keyword()});
  if (const Result<Value> parsed = decode_json(text); !parsed) {
    args.fail(code::kValue, parsed.error().what);
  }
  return make_string(indent_json(text, prefix, indent));
}

Value json_encode_indent(Args& args) {
  Value x;
  std::string_view prefix;
  std::string_view indent = "\t";
  args.unpack({required("x", x), optional("prefix", prefix).by_keyword(),
               optional("indent", indent).by_keyword()});
  return make_string(indent_json(encode_json_as("json.encode_indent", x), prefix, indent));
}

/// Re-lays out text that is known to be JSON.
class Indenter {
 public:
  Indenter(std::string_view prefix, std::string_view indent) : prefix_(prefix), indent_(indent) {}

  std::string run(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (in_string_) {
        out_.push_back(c);
        if (c == '\\') out_.push_back(text[++i]);
        if (c == '"') in_string_ = false;
      } else if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) {
        structural(c);
      }
    }
    return std::move(out_);
  }

 private:
  void structural(char c) {
    const bool closes = c == '}' || c == ']';
    if (closes) {
      --depth_;
      if (!just_opened_) line();
    } else if (just_opened_) {
      line();
    }
    just_opened_ = c == '{' || c == '[';
    if (just_opened_) ++depth_;
    out_.push_back(c);
    in_string_ = c == '"';
    if (c == ',') line();
    if (c == ':') out_.push_back(' ');
  }

  void line() {
    out_.push_back('\n');
    out_ += prefix_;
    for (unsigned i = 0; i < depth_; ++i) out_ += indent_;
  }

  std::string_view prefix_;
  std::string_view indent_;
  std::string out_;
  unsigned depth_ = 0;
  bool in_string_ = false;
  bool just_opened_ = false;
};

}  // namespace

std::string indent_json(std::string_view text, std::string_view prefix, std::string_view indent) {
  return Indenter(prefix, indent).run(text);
}

Value json_namespace() {
  const auto fn = [](const char* name, NativePointer pointer) {
    const std::string full = fmt::format("json.{}", name);
    return std::pair(Symbol(name), NativeFunction::make(full, pointer));
  };
  return Value::of(
      new Namespace("json", {fn("encode", json_encode), fn("decode", json_decode),
                             fn("indent", json_indent), fn("encode_indent", json_encode_indent)}));
}

}  // namespace misrule::star
