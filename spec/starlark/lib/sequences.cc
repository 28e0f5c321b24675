// Functions over what can be iterated: len, range, sorted, zip, min, max, ...

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/args.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/compare.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/integers.h"
#include "spec/starlark/function.h"
#include "spec/starlark/lib/universe.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {
namespace {

Value call_with(Args& args, const Value& function, const Value& argument) {
  return args.thread().runtime().call(args.thread(), function, std::span(&argument, 1));
}

Value len_of(Args& args) {
  Value x;
  args.unpack_positional({required("x", x)});
  if (const auto length = length_of(x)) return Value::integer(*length);
  args.fail(code::kType, fmt::format("value of type {} has no len", x.type_name()));
}

bool all_are(Args& args, bool wanted) {
  Iterable items;
  args.unpack_positional({required("iterable", items)});
  Iteration iteration(items.value);
  for (Value item; iteration.next(item);) {
    if (item.truth() != wanted) return false;
  }
  return true;
}

Value all_of(Args& args) { return Value::boolean(all_are(args, true)); }
Value any_of(Args& args) { return Value::boolean(!all_are(args, false)); }

Value enumerate_of(Args& args) {
  Iterable items;
  std::int64_t start = 0;
  args.unpack_positional({required("iterable", items), optional("start", start)});
  std::vector<Value> out;
  for (Value& item : items.value.elements()) {
    out.push_back(Value::tuple({Value::integer(start++), std::move(item)}));
  }
  return Value::list(std::move(out));
}

Value reversed_of(Args& args) {
  Iterable items;
  args.unpack_positional({required("iterable", items)});
  std::vector<Value> out = items.value.elements();
  std::reverse(out.begin(), out.end());
  return Value::list(std::move(out));
}

Value zip_of(Args& args) {
  if (!args.keywords().empty()) args.fail(code::kArgument, "unexpected keyword arguments");
  std::vector<std::unique_ptr<Iteration>> sources;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!is_iterable(args[i])) {
      args.fail_at(args.span(i), code::kType,
                   fmt::format("argument #{} is not iterable: {}", i + 1, args[i].type_name()));
    }
    sources.push_back(std::make_unique<Iteration>(args[i]));
  }
  std::vector<Value> out;
  while (!sources.empty()) {
    std::vector<Value> row(sources.size());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (!sources[i]->next(row[i])) return Value::list(std::move(out));
    }
    out.push_back(Value::tuple(std::move(row)));
  }
  return Value::list(std::move(out));
}

std::int64_t range_bound(Args& args, std::size_t index) {
  const Value& value = args[index];
  if (value.kind() != Kind::kInt) {
    args.fail_at(args.span(index), code::kType,
                 fmt::format("for parameter {}: got {}, want int", index + 1, value.type_name()));
  }
  if (const auto number = value.as_int()) return *number;
  args.fail_at(args.span(index), code::kValue,
               fmt::format("for parameter {}: {} out of range (want value in signed 64-bit range)",
                           index + 1, int_to_string(value)));
}

Value range_of(Args& args) {
  if (!args.keywords().empty()) args.fail(code::kArgument, "unexpected keyword arguments");
  if (args.size() < 1 || args.size() > 3) {
    args.fail(code::kArgument, fmt::format("got {} arguments, want {}", args.size(),
                                           args.size() < 1 ? "at least 1" : "at most 3"));
  }
  const std::int64_t first = range_bound(args, 0);
  const std::int64_t stop = args.size() > 1 ? range_bound(args, 1) : first;
  const std::int64_t step = args.size() > 2 ? range_bound(args, 2) : 1;
  if (step == 0) args.fail(code::kValue, "step argument must not be zero");
  return Value::of(new Range(args.size() > 1 ? first : 0, stop, step));
}

/// Values and what they are ordered by.
struct Keyed {
  Value key;
  Value value;
};

std::vector<Keyed> keyed(Args& args, const Value& items, const std::optional<Callable>& key) {
  std::vector<Keyed> out;
  Iteration iteration(items);
  for (Value item; iteration.next(item);) {
    Value by = key ? call_with(args, key->value, item) : item;
    out.push_back({.key = std::move(by), .value = std::move(item)});
    if (out.size() % 4096 == 0) Heap::reserve(out.size() * sizeof(Keyed));
  }
  return out;
}

// Not std::stable_sort: an order that is not one (or that raises) must do no harm.
void merge_sort(std::vector<Keyed>& items, bool reverse) {
  std::vector<Keyed> spare(items.size());
  const auto before = [reverse](const Keyed& a, const Keyed& b) {
    return (reverse ? order_values(a.key, b.key) : order_values(b.key, a.key)) >= 0;
  };
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    for (std::size_t from = 0; from < items.size(); from += 2 * width) {
      const std::size_t middle = std::min(from + width, items.size());
      const std::size_t end = std::min(from + 2 * width, items.size());
      std::size_t left = from;
      std::size_t right = middle;
      for (std::size_t out = from; out < end; ++out) {
        const bool take_left = left < middle && (right >= end || before(items[left], items[right]));
        spare[out] = std::move(items[take_left ? left++ : right++]);
      }
    }
    std::swap(items, spare);
  }
}

Value sorted_of(Args& args) {
  Iterable items;
  Value key = Value::unbound();
  bool reverse = false;
  args.unpack({required("iterable", items), optional("key", key), optional("reverse", reverse)});
  std::optional<Callable> by;
  if (!key.is_unbound()) {
    if (!key.is_callable()) {
      args.fail(code::kType,
                fmt::format("for parameter \"key\": got {}, want callable", key.type_name()));
    }
    by = Callable{key};
  }
  std::vector<Keyed> rows = keyed(args, items.value, by);
  merge_sort(rows, reverse);
  std::vector<Value> out;
  out.reserve(rows.size());
  for (Keyed& row : rows) out.push_back(std::move(row.value));
  return Value::list(std::move(out));
}

std::optional<Callable> key_of_extreme(Args& args) {
  constexpr std::string_view kNames[] = {"key"};
  std::optional<Callable> key;
  for (std::size_t k = 0; k < args.keywords().size(); ++k) {
    if (args.keyword_name(k) != "key") {
      args.fail_at(args.keyword_span(k), code::kArgument,
                   fmt::format("unexpected keyword argument \"{}\"{}", args.keyword_name(k),
                               did_you_mean(args.keyword_name(k), kNames)),
                   "it takes: values, key");
    }
    if (!args.keyword(k).is_callable()) {
      args.fail_at(
          args.keyword_value_span(k), code::kType,
          fmt::format("for parameter \"key\": got {}, want callable", args.keyword(k).type_name()));
    }
    key = Callable{args.keyword(k)};
  }
  return key;
}

Value extreme(Args& args, bool largest) {
  const std::optional<Callable> key = key_of_extreme(args);
  if (args.size() == 0) {
    raise(code::kArgument,
          fmt::format("{} requires at least one positional argument", args.name()));
  }
  Value items = args[0];
  if (args.size() > 1) {
    items = Value::tuple({args.positional().begin(), args.positional().end()});
  } else if (!is_iterable(items)) {
    args.fail(code::kType, fmt::format("{} value is not iterable", items.type_name()));
  }
  const CompareOp op = largest ? CompareOp::kGreater : CompareOp::kLess;
  Value best;
  Value best_key = Value::unbound();
  Iteration iteration(items);
  for (Value item; iteration.next(item);) {
    Value by = key ? call_with(args, key->value, item) : item;
    if (!best_key.is_unbound()) {
      try {
        if (!compare_values(op, by, best_key)) continue;
      } catch (EvalError& error) {
        error.diagnostic().message = fmt::format("{}: {}", args.name(), error.diagnostic().message);
        throw;
      }
    }
    best = std::move(item);
    best_key = std::move(by);
  }
  if (best_key.is_unbound()) args.fail(code::kValue, "argument is an empty sequence");
  return best;
}

Value max_of(Args& args) { return extreme(args, true); }
Value min_of(Args& args) { return extreme(args, false); }

}  // namespace

void add_sequence_functions(const AddName& add) {
  const auto def = [&add](const char* name, NativePointer fn) {
    add(name, NativeFunction::make(name, fn));
  };
  def("len", len_of);
  def("all", all_of);
  def("any", any_of);
  def("enumerate", enumerate_of);
  def("reversed", reversed_of);
  def("zip", zip_of);
  def("range", range_of);
  def("sorted", sorted_of);
  def("max", max_of);
  def("min", min_of);
}

}  // namespace misrule::star
