// What indexes and slices mean.

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/eval/strings.h"

namespace misrule::star {

std::size_t element_index(std::string_view type, const Value& key, std::size_t size) {
  if (key.kind() != Kind::kInt) {
    raise(code::kType, fmt::format("{} index: got {}, want int", type, key.type_name()));
  }
  const auto given = key.as_int();
  const auto count = static_cast<std::int64_t>(size);
  if (given) {
    const std::int64_t index = *given < 0 ? *given + count : *given;
    if (index >= 0 && index < count) return static_cast<std::size_t>(index);
  }
  if (size == 0) {
    raise(code::kValue, fmt::format("index {} out of range: empty {}", int_to_string(key), type));
  }
  raise(code::kValue, fmt::format("{} index {} out of range [{}:{}]", type, int_to_string(key),
                                  -count, count - 1));
}

namespace {

std::int64_t clamp_int(const Value& value) {
  if (const auto small = value.as_int()) return *small;
  return int_sign(value) < 0 ? INT64_MIN : INT64_MAX;
}

std::int64_t bound(const Value& value, std::string_view what, std::int64_t size,
                   std::int64_t omitted, bool forward) {
  if (value.is_none()) return omitted;
  if (value.kind() != Kind::kInt) {
    raise(code::kType, fmt::format("invalid {} index: got {}, want int", what, value.type_name()));
  }
  std::int64_t index = clamp_int(value);
  if (index < 0) index = index < -size ? -1 : index + size;
  const std::int64_t low = forward ? 0 : -1;
  const std::int64_t high = forward ? size : size - 1;
  return std::clamp(index, low, std::max(low, high));
}

}  // namespace

SliceBounds slice_bounds(const Value& start, const Value& stop, const Value& step,
                         std::int64_t size) {
  SliceBounds out;
  if (!step.is_none()) {
    if (step.kind() != Kind::kInt) {
      raise(code::kType, fmt::format("invalid slice step: got {}, want int", step.type_name()));
    }
    out.step = clamp_int(step);
    if (out.step == 0) raise(code::kValue, "zero is not a valid slice step");
  }
  const bool forward = out.step > 0;
  out.start = bound(start, "start", size, forward ? 0 : size - 1, forward);
  out.stop = bound(stop, "end", size, forward ? size : -1, forward);
  return out;
}

std::vector<std::int64_t> SliceBounds::indices() const {
  std::vector<std::int64_t> out;
  std::int64_t i = start;
  while (step > 0 ? i < stop : i > stop) {
    out.push_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return out;
}

namespace {

std::string slice_text(std::string_view text, const SliceBounds& bounds) {
  if (bounds.step == 1) {
    const auto from = static_cast<std::size_t>(bounds.start);
    const auto count = std::max<std::int64_t>(bounds.stop - bounds.start, 0);
    return std::string(text.substr(from, static_cast<std::size_t>(count)));
  }
  std::string out;
  for (const std::int64_t i : bounds.indices()) out.push_back(text[static_cast<std::size_t>(i)]);
  return out;
}

std::vector<Value> slice_items(std::span<const Value> items, const SliceBounds& bounds) {
  std::vector<Value> out;
  for (const std::int64_t i : bounds.indices()) out.push_back(items[static_cast<std::size_t>(i)]);
  return out;
}

Value slice_range(const Range& range, const SliceBounds& bounds) {
  const auto at = [&range](std::int64_t index) {
    const auto offset =
        static_cast<std::uint64_t>(index) * static_cast<std::uint64_t>(range.step());
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(range.start()) + offset);
  };
  const auto step = static_cast<std::int64_t>(static_cast<std::uint64_t>(range.step()) *
                                              static_cast<std::uint64_t>(bounds.step));
  return Value::of(new Range(at(bounds.start), at(bounds.stop), step == 0 ? 1 : step));
}

}  // namespace

Value slice_value(const Value& object, const Value& start, const Value& stop, const Value& step) {
  const auto size = length_of(object);
  const bool can = size && (object.kind() == Kind::kString || object.kind() == Kind::kBytes ||
                            object.kind() == Kind::kList || object.kind() == Kind::kTuple ||
                            object.kind() == Kind::kRange);
  if (!can) raise(code::kType, fmt::format("invalid slice operand {}", object.type_name()));
  const SliceBounds bounds = slice_bounds(start, stop, step, *size);
  switch (object.kind()) {
    case Kind::kString:
      return make_string(slice_text(string_of(object).text(), bounds));
    case Kind::kBytes:
      return make_bytes(slice_text(string_of(object).text(), bounds));
    case Kind::kList:
      return Value::list(slice_items(object.as_list()->items(), bounds));
    case Kind::kTuple:
      return Value::tuple(slice_items(object.as_tuple()->items(), bounds));
    default:
      return slice_range(*static_cast<const Range*>(object.as_object()), bounds);
  }
}

}  // namespace misrule::star
