// Methods of sets.

#include "fmt/format.h"
#include "spec/starlark/args.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/lib/named.h"

namespace misrule::star {
namespace {

Set& self_of(Args& args) { return *args.self().as_set(); }

Set& changing(Args& args, std::string_view verb) {
  Set& set = self_of(args);
  named(args, [&] { set.check_mutable(verb); });
  return set;
}

Value set_add(Args& args) {
  Value item;
  args.unpack_positional({required("elem", item)});
  Set& set = changing(args, "insert into");
  named(args, [&] { set.insert(item); });
  return {};
}

Value set_clear(Args& args) {
  args.unpack_positional({});
  if (self_of(args).size() > 0) changing(args, "clear").mutable_table().clear();
  return {};
}

Value set_discard(Args& args) {
  Value item;
  args.unpack_positional({required("elem", item)});
  Set& set = changing(args, "delete from");
  named(args, [&] { set.mutable_table().erase(item); });
  return {};
}

Value set_pop(Args& args) {
  args.unpack_positional({});
  Set& set = changing(args, "delete from");
  std::size_t cursor = 0;
  const Table::Entry* first = set.table().next(cursor);
  if (first == nullptr) args.fail(code::kValue, "empty set");
  const Value out = first->key;
  set.mutable_table().erase(out);
  return out;
}

Value set_remove(Args& args) {
  Value item;
  args.unpack_positional({required("elem", item)});
  Set& set = changing(args, "delete from");
  const auto erased = named(args, [&] { return set.mutable_table().erase(item); });
  if (!erased) args.fail(code::kValue, "missing key");
  return {};
}

/// Every argument as a set; raises if one is not iterable.
std::vector<Ref<Set>> others_of(Args& args) {
  if (!args.keywords().empty()) args.fail(code::kArgument, "does not accept keyword arguments");
  std::vector<Ref<Set>> out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (Set* set = args[i].as_set()) {
      out.emplace_back(set);
      continue;
    }
    if (!is_iterable(args[i])) {
      args.fail_at(args.span(i), code::kType,
                   fmt::format("argument #{} is not iterable: {}", i + 1, args[i].type_name()));
    }
    const Ref<Set> made = make<Set>();
    Iteration iteration(args[i]);
    for (Value item; iteration.next(item);) made->insert(item);
    out.push_back(made);
  }
  return out;
}

void add_all(Set& out, const Set& from) {
  if (&out == &from) return;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = from.table().next(cursor)) out.insert(entry->key);
}

/// Elements of `from` that are in every (or in none) of the others.
Ref<Set> filtered(const Set& from, const std::vector<Ref<Set>>& others, bool wanted) {
  const Ref<Set> out = make<Set>();
  std::size_t cursor = 0;
  while (const Table::Entry* entry = from.table().next(cursor)) {
    bool kept = true;
    for (const Ref<Set>& other : others) {
      kept = kept && (other->table().find(entry->key) != nullptr) == wanted;
    }
    if (kept) out->insert(entry->key);
  }
  return out;
}

Value set_union(Args& args) {
  const std::vector<Ref<Set>> others = others_of(args);
  const Ref<Set> out = make<Set>();
  add_all(*out, self_of(args));
  for (const Ref<Set>& other : others) add_all(*out, *other);
  return Value::object(out);
}

Value set_update(Args& args) {
  const std::vector<Ref<Set>> others = others_of(args);
  Set& set = changing(args, "insert into");
  for (const Ref<Set>& other : others) add_all(set, *other);
  return {};
}

Value set_difference(Args& args) {
  return Value::object(filtered(self_of(args), others_of(args), false));
}

// In the order of the argument, as long as there is one.
Value set_intersection(Args& args) {
  const std::vector<Ref<Set>> others = others_of(args);
  if (others.size() != 1) return Value::object(filtered(self_of(args), others, true));
  return Value::object(filtered(*others[0], {Ref<Set>(&self_of(args))}, true));
}

Value set_symmetric_difference(Args& args) {
  const std::vector<Ref<Set>> others = others_of(args);
  if (others.size() > 1) {
    args.fail(code::kArgument, fmt::format("got {} arguments, want at most 1", others.size()));
  }
  if (others.empty()) return Value::object(filtered(self_of(args), {}, true));
  const Ref<Set> self(&self_of(args));
  const Ref<Set> out = filtered(*self, others, false);
  add_all(*out, *filtered(*others[0], {self}, false));
  return Value::object(out);
}

Value contains_all(Args& args, bool of_argument) {
  const std::vector<Ref<Set>> others = others_of(args);
  if (others.size() > 1) {
    args.fail(code::kArgument, fmt::format("got {} arguments, want at most 1", others.size()));
  }
  const Ref<Set> self(&self_of(args));
  const Ref<Set> other = others.empty() ? make<Set>() : others[0];
  const Set& small = of_argument ? *other : *self;
  const Set& large = of_argument ? *self : *other;
  std::size_t cursor = 0;
  while (const Table::Entry* entry = small.table().next(cursor)) {
    if (large.table().find(entry->key) == nullptr) return Value::boolean(false);
  }
  return Value::boolean(true);
}

Value set_issubset(Args& args) { return contains_all(args, false); }
Value set_issuperset(Args& args) { return contains_all(args, true); }

}  // namespace

const MemberTable& set_members() {
  static const MemberTable* const kMembers =
      new MemberTable{{"add", set_add},
                      {"clear", set_clear},
                      {"difference", set_difference},
                      {"discard", set_discard},
                      {"intersection", set_intersection},
                      {"issubset", set_issubset},
                      {"issuperset", set_issuperset},
                      {"pop", set_pop},
                      {"remove", set_remove},
                      {"symmetric_difference", set_symmetric_difference},
                      {"union", set_union},
                      {"update", set_update}};
  return *kMembers;
}

}  // namespace misrule::star
