// Ranges, views of strings, and iteration of everything.

#include "spec/starlark/eval/collections.h"

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

std::int64_t range_size(std::int64_t start, std::int64_t stop, std::int64_t step) {
  const bool up = step > 0;
  if (up ? start >= stop : start <= stop) return 0;
  const auto low = static_cast<std::uint64_t>(up ? start : stop);
  const auto high = static_cast<std::uint64_t>(up ? stop : start);
  const std::uint64_t stride =
      up ? static_cast<std::uint64_t>(step) : ~static_cast<std::uint64_t>(step) + 1;
  const std::uint64_t count = (high - low - 1) / stride + 1;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(count, INT64_MAX));
}

}  // namespace

Range::Range(std::int64_t start, std::int64_t stop, std::int64_t step)
    : Object(Kind::kRange),
      start_(start),
      stop_(stop),
      step_(step),
      size_(range_size(start, stop, step)) {}

Value Range::at(std::int64_t index) const {
  const auto offset = static_cast<std::uint64_t>(index) * static_cast<std::uint64_t>(step_);
  return Value::integer(static_cast<std::int64_t>(static_cast<std::uint64_t>(start_) + offset));
}

bool Range::same_sequence(const Range& other) const {
  if (size_ != other.size_) return false;
  if (size_ == 0) return true;
  return start_ == other.start_ && (size_ == 1 || step_ == other.step_);
}

void Range::write_repr(Writer& out) const {
  if (step_ != 1) {
    out.text(fmt::format("range({}, {}, {})", start_, stop_, step_));
  } else if (start_ != 0) {
    out.text(fmt::format("range({}, {})", start_, stop_));
  } else {
    out.text(fmt::format("range({})", stop_));
  }
}

std::optional<bool> Range::contains(const Value& needle) const {
  Value whole = needle;
  if (const auto real = needle.as_float()) {
    whole = Value::integer(static_cast<std::int64_t>(std::clamp(*real, -9e18, 9e18)));
    if (!needle.equals(whole)) return false;
  } else if (needle.kind() != Kind::kInt) {
    raise(code::kType,
          fmt::format("'in <range>' requires integer as left operand, not {}", needle.type_name()));
  }
  const auto number = whole.as_int();
  if (!number || size_ == 0) return false;
  const bool inside =
      step_ > 0 ? *number >= start_ && *number < stop_ : *number <= start_ && *number > stop_;
  if (!inside) return false;
  const std::uint64_t distance =
      step_ > 0 ? static_cast<std::uint64_t>(*number) - static_cast<std::uint64_t>(start_)
                : static_cast<std::uint64_t>(start_) - static_cast<std::uint64_t>(*number);
  const std::uint64_t stride =
      step_ > 0 ? static_cast<std::uint64_t>(step_) : ~static_cast<std::uint64_t>(step_) + 1;
  return distance % stride == 0;
}

std::unique_ptr<Iterator> Range::iterate() { return iterate_container(this); }

std::optional<Value> Range::item(const Value& key) {
  return at(
      static_cast<std::int64_t>(element_index("range", key, static_cast<std::size_t>(size_))));
}

StringElements::StringElements(Value text, bool code_points, bool ordinals)
    : Object(Kind::kStringView),
      text_(std::move(text)),
      code_points_(code_points),
      ordinals_(ordinals) {}

std::string_view StringElements::bytes() const { return string_of(text_).text(); }

std::string_view StringElements::type_name() const {
  if (text_.kind() == Kind::kBytes) return "bytes.elems";
  return code_points_ ? "string.codepoints" : "string.elems";
}

void StringElements::write_repr(Writer& out) const {
  out.repr(text_);
  out.text(code_points_ ? ".codepoint" : ".elem");
  out.text(ordinals_ && text_.kind() != Kind::kBytes ? "_ords()" : "s()");
}

Value StringElements::element(char byte) const {
  if (ordinals_) return Value::integer(static_cast<unsigned char>(byte));
  return Value::string(std::string_view(&byte, 1));
}

bool StringElements::next(std::size_t& cursor, Value& out) const {
  const std::string_view rest = bytes().substr(std::min(cursor, bytes().size()));
  if (rest.empty()) return false;
  if (!code_points_) {
    ++cursor;
    out = element(rest[0]);
    return true;
  }
  const Decoded point = decode_utf8(rest);
  cursor += point.size;
  if (ordinals_) {
    out = Value::integer(static_cast<std::int64_t>(point.point));
    return true;
  }
  std::string text;
  append_utf8(text, point.point);
  out = make_string(std::move(text));
  return true;
}

std::unique_ptr<Iterator> StringElements::iterate() { return iterate_container(this); }

std::optional<std::int64_t> StringElements::length() const {
  if (code_points_) return std::nullopt;
  return static_cast<std::int64_t>(bytes().size());
}

std::optional<Value> StringElements::item(const Value& key) {
  if (code_points_) return std::nullopt;
  return element(bytes()[element_index(type_name(), key, bytes().size())]);
}

IterationLock::IterationLock(const Value& container) {
  Object* object = container.as_object();
  if (object == nullptr || object->is_frozen()) return;
  if (List* list = container.as_list()) count_ = &list->iterations_;
  if (Dict* dict = container.as_dict()) count_ = &dict->iterations_;
  if (Set* set = container.as_set()) count_ = &set->iterations_;
  if (count_ == nullptr) return;
  container_ = container;
  ++*count_;
}

IterationLock::~IterationLock() {
  if (count_ != nullptr) --*count_;
}

Iteration::Iteration(const Value& iterable) : container_(iterable), lock_(iterable) {
  Object* object = iterable.as_object();
  switch (iterable.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kSet:
    case Kind::kRange:
    case Kind::kStringView:
      return;
    default:
      if (object != nullptr) iterator_ = object->iterate();
      if (iterator_ != nullptr) return;
  }
  raise(code::kType, fmt::format("{} value is not iterable", iterable.type_name()));
}

bool Iteration::next(Value& out) {
  switch (container_.kind()) {
    case Kind::kList: {
      const auto items = static_cast<List*>(container_.as_object())->items();
      if (cursor_ >= items.size()) return false;
      out = items[cursor_++];
      return true;
    }
    case Kind::kTuple: {
      const auto items = static_cast<Tuple*>(container_.as_object())->items();
      if (cursor_ >= items.size()) return false;
      out = items[cursor_++];
      return true;
    }
    case Kind::kRange: {
      const auto* range = static_cast<const Range*>(container_.as_object());
      if (static_cast<std::int64_t>(cursor_) >= range->size()) return false;
      out = range->at(static_cast<std::int64_t>(cursor_++));
      return true;
    }
    default:
      return next_of_object(out);
  }
}

bool Iteration::next_of_object(Value& out) {
  if (iterator_ != nullptr) {
    std::optional<Value> value = iterator_->next();
    if (!value) return false;
    out = std::move(*value);
    return true;
  }
  const Object* object = container_.as_object();
  if (object->kind() == Kind::kStringView) {
    return static_cast<const StringElements*>(object)->next(cursor_, out);
  }
  const Table& table = object->kind() == Kind::kDict ? static_cast<const Dict*>(object)->table()
                                                     : static_cast<const Set*>(object)->table();
  const Table::Entry* entry = table.next(cursor_);
  if (entry == nullptr) return false;
  out = entry->key;
  return true;
}

bool is_iterable(const Value& value) {
  Object* object = value.as_object();
  if (object == nullptr) return false;
  switch (object->kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kSet:
    case Kind::kRange:
    case Kind::kStringView:
      return true;
    default:
      return object->iterate() != nullptr;
  }
}

std::optional<std::int64_t> length_of(const Value& value) {
  if (value.kind() == Kind::kString || value.kind() == Kind::kBytes) {
    return static_cast<std::int64_t>(string_of(value).text().size());
  }
  const Object* object = value.as_object();
  return object != nullptr ? object->length() : std::nullopt;
}

}  // namespace misrule::star
