// repr() and str().

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/runtime.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

constexpr std::size_t kDepthMax = 400;

std::string_view elided(Kind kind) {
  if (kind == Kind::kList) return "[...]";
  if (kind == Kind::kDict) return "{...}";
  return "...";
}

}  // namespace

Writer::Writer(std::size_t bytes_max) : bytes_max_(bytes_max) {}
Writer::Writer() : bytes_max_(Heap::limits().repr_bytes_max) {}

void Writer::text(std::string_view text) {
  if (out_.size() + text.size() > bytes_max_) {
    raise(code::kLimit, fmt::format("text of a value is longer than {} bytes", bytes_max_));
  }
  out_.append(text);
}

void Writer::repr(const Value& value) {
  switch (value.kind()) {
    case Kind::kNone:
    case Kind::kUnbound:
      return text("None");
    case Kind::kBool:
      return text(value.truth() ? "True" : "False");
    case Kind::kInt:
      return text(int_to_string(value));
    case Kind::kFloat:
      return text(float_to_string(float_of(value)));
    case Kind::kString:
    case Kind::kBytes: {
      std::string quoted = value.kind() == Kind::kBytes ? "b" : "";
      append_quoted(quoted, string_of(value).text());
      return text(quoted);
    }
    default:
      break;
  }
  const Object* object = value.as_object();
  const bool shown = std::find(path_.begin(), path_.end(), object) != path_.end();
  if (shown || path_.size() >= kDepthMax) return text(elided(value.kind()));
  path_.push_back(object);
  object->write_repr(*this);
  path_.pop_back();
}

void Writer::plain(const Value& value) {
  if (value.kind() == Kind::kString) return text(string_of(value).text());
  if (value.kind() == Kind::kBytes) return text(sanitize_utf8(string_of(value).text()));
  const Object* object = value.as_object();
  if (object == nullptr || object->kind() != Kind::kHost) return repr(value);
  path_.push_back(object);
  object->write_text(*this);
  path_.pop_back();
}

}  // namespace misrule::star
