// Methods of lists and dicts.

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/args.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/compare.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/lib/dict_update.h"
#include "spec/starlark/lib/named.h"

namespace misrule::star {
namespace {

/// The container that a method was called on. Its errors name the method.
template <class Container>
void check(Args& args, Container& container, std::string_view verb) {
  named(args, [&] { container.check_mutable(verb); });
}

List& list_self(Args& args, std::string_view verb) {
  List& list = *args.self().as_list();
  check(args, list, verb);
  return list;
}

Dict& dict_self(Args& args, std::string_view verb) {
  Dict& dict = *args.self().as_dict();
  check(args, dict, verb);
  return dict;
}

Value list_append(Args& args) {
  Value item;
  args.unpack_positional({required("x", item)});
  list_self(args, "append to").append(std::move(item));
  return {};
}

Value list_clear(Args& args) {
  args.unpack_positional({});
  List& list = list_self(args, "clear");
  const std::vector<Value> dropped = std::exchange(list.mutable_items(), {});
  list.account();
  return {};
}

Value list_extend(Args& args) {
  Iterable items;
  args.unpack_positional({required("iterable", items)});
  List& list = list_self(args, "extend");
  std::vector<Value> more = items.value.elements();
  std::move(more.begin(), more.end(), std::back_inserter(list.mutable_items()));
  list.account();
  return {};
}

std::int64_t clamp_index(const std::optional<std::int64_t>& given, std::int64_t size,
                         std::int64_t omitted) {
  if (!given) return omitted;
  const std::int64_t index = *given < 0 ? *given + size : *given;
  return std::clamp<std::int64_t>(index, 0, size);
}

Value list_index(Args& args) {
  Value wanted;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> stop;
  args.unpack_positional({required("x", wanted), optional("start", start), optional("end", stop)});
  const auto items = args.self().as_list()->items();
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t end = clamp_index(stop, size, size);
  const IterationLock lock(args.self());
  for (std::int64_t i = clamp_index(start, size, 0); i < end; ++i) {
    if (values_equal(items[static_cast<std::size_t>(i)], wanted)) return Value::integer(i);
  }
  args.fail(code::kValue, "value not in list");
}

Value list_insert(Args& args) {
  std::int64_t index = 0;
  Value item;
  args.unpack_positional({required("i", index), required("x", item)});
  List& list = list_self(args, "insert into");
  auto& items = list.mutable_items();
  const std::int64_t at = clamp_index(index, static_cast<std::int64_t>(items.size()), 0);
  items.insert(items.begin() + at, std::move(item));
  list.account();
  return {};
}

Value list_pop(Args& args) {
  Value index = Value::integer(-1);
  args.unpack_positional({optional("i", index)});
  List& list = list_self(args, "pop from");
  auto& items = list.mutable_items();
  const std::size_t at = named(args, [&] { return element_index("list", index, items.size()); });
  Value out = std::move(items[at]);
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}

Value list_remove(Args& args) {
  Value wanted;
  args.unpack_positional({required("x", wanted)});
  List& list = list_self(args, "remove from");
  auto& items = list.mutable_items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!values_equal(items[i], wanted)) continue;
    const Value dropped = std::move(items[i]);
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    return {};
  }
  args.fail(code::kValue, "element not found");
}

Value dict_clear(Args& args) {
  args.unpack_positional({});
  dict_self(args, "clear").mutable_table().clear();
  return {};
}

Value dict_get(Args& args) {
  Value key;
  Value fallback;
  args.unpack_positional({required("key", key), optional("default", fallback)});
  const Value* found = named(args, [&] { return args.self().as_dict()->find(key); });
  return found != nullptr ? *found : fallback;
}

enum class Part { kKeys, kValues, kItems };

Value dict_parts(Args& args, Part part) {
  args.unpack_positional({});
  const Table& table = args.self().as_dict()->table();
  Heap::reserve(table.size() * sizeof(Value));
  std::vector<Value> out;
  out.reserve(table.size());
  std::size_t cursor = 0;
  while (const Table::Entry* entry = table.next(cursor)) {
    if (part == Part::kItems) {
      out.push_back(Value::tuple({entry->key, entry->value}));
    } else {
      out.push_back(part == Part::kKeys ? entry->key : entry->value);
    }
  }
  return Value::list(std::move(out));
}

Value dict_keys(Args& args) { return dict_parts(args, Part::kKeys); }
Value dict_values(Args& args) { return dict_parts(args, Part::kValues); }
Value dict_items(Args& args) { return dict_parts(args, Part::kItems); }

Value dict_pop(Args& args) {
  Value key;
  Value fallback = Value::unbound();
  args.unpack_positional({required("key", key), optional("default", fallback)});
  Dict& dict = dict_self(args, "delete from");
  std::optional<Value> out = named(args, [&] { return dict.mutable_table().erase(key); });
  if (out) return std::move(*out);
  if (fallback.is_unbound()) args.fail(code::kValue, "missing key");
  return fallback;
}

Value dict_popitem(Args& args) {
  args.unpack_positional({});
  Dict& dict = dict_self(args, "delete from");
  std::size_t cursor = 0;
  const Table::Entry* first = dict.table().next(cursor);
  if (first == nullptr) args.fail(code::kValue, "empty dict");
  const Value key = first->key;
  Value out = Value::tuple({key, first->value});
  dict.mutable_table().erase(key);
  return out;
}

Value dict_setdefault(Args& args) {
  Value key;
  Value fallback;
  args.unpack_positional({required("key", key), optional("default", fallback)});
  const Value* found = named(args, [&] { return args.self().as_dict()->find(key); });
  if (found != nullptr) return *found;
  dict_self(args, "insert into").mutable_table().set(key, fallback);
  return fallback;
}

Value dict_update(Args& args) {
  Dict& dict = dict_self(args, "insert into");
  if (args.size() == 1 && args[0].same_as(args.self())) return {};
  update_dict(dict, args);
  return {};
}

}  // namespace

const MemberTable& list_members() {
  static const MemberTable* const kMembers =
      new MemberTable{{"append", list_append}, {"clear", list_clear},   {"extend", list_extend},
                      {"index", list_index},   {"insert", list_insert}, {"pop", list_pop},
                      {"remove", list_remove}};
  return *kMembers;
}

const MemberTable& dict_members() {
  static const MemberTable* const kMembers = new MemberTable{{"clear", dict_clear},
                                                             {"get", dict_get},
                                                             {"items", dict_items},
                                                             {"keys", dict_keys},
                                                             {"pop", dict_pop},
                                                             {"popitem", dict_popitem},
                                                             {"setdefault", dict_setdefault},
                                                             {"update", dict_update},
                                                             {"values", dict_values}};
  return *kMembers;
}

}  // namespace misrule::star
