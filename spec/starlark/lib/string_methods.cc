// Methods of strings and bytes: the table, and those about searching and joining.

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/eval/collections.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/members.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/lib/text_search.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

struct Search {
  std::string_view wanted = {};
  TextPart part = {};
};

Search search_of(Args& args) {
  Search out;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> stop;
  args.unpack_positional(
      {required("sub", out.wanted), optional("start", start), optional("end", stop)});
  out.part = text_part(self_text(args), start, stop);
  return out;
}

std::optional<std::int64_t> found_at(Args& args, bool from_right) {
  const Search search = search_of(args);
  const std::size_t at =
      from_right ? search.part.text.rfind(search.wanted) : search.part.text.find(search.wanted);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::int64_t>(at) + search.part.offset;
}

Value string_find(Args& args) { return Value::integer(found_at(args, false).value_or(-1)); }
Value string_rfind(Args& args) { return Value::integer(found_at(args, true).value_or(-1)); }

Value index_or_fail(Args& args, bool from_right) {
  const auto at = found_at(args, from_right);
  if (!at) args.fail(code::kValue, "substring not found");
  return Value::integer(*at);
}

Value string_index(Args& args) { return index_or_fail(args, false); }
Value string_rindex(Args& args) { return index_or_fail(args, true); }

Value string_count(Args& args) {
  const Search search = search_of(args);
  std::string_view text = search.part.text;
  if (search.wanted.empty()) {
    return Value::integer(static_cast<std::int64_t>(count_code_points(text)) + 1);
  }
  std::int64_t count = 0;
  for (std::size_t at = text.find(search.wanted); at != std::string_view::npos; ++count) {
    text.remove_prefix(at + search.wanted.size());
    at = text.find(search.wanted);
  }
  return Value::integer(count);
}

/// The strings that x.startswith(affixes) names.
std::vector<std::string_view> affixes_of(Args& args, const Value& given, std::vector<Value>& kept) {
  const auto text_of = [&kept](const Value& value) -> std::optional<std::string_view> {
    const Object* object = value.as_object();
    kept.push_back(object != nullptr ? object->unwrapped().value_or(value) : value);
    return kept.back().as_string();
  };
  std::vector<std::string_view> out;
  const Tuple* tuple = given.as_tuple();
  if (tuple == nullptr) {
    const auto text = text_of(given);
    if (!text) {
      args.fail(code::kType,
                fmt::format("got {}, want string or tuple of string", given.type_name()));
    }
    return {*text};
  }
  kept.reserve(tuple->size());
  for (std::size_t i = 0; i < tuple->size(); ++i) {
    const auto text = text_of(tuple->items()[i]);
    if (!text) {
      args.fail(code::kType, fmt::format("want string, got {}, for element {}",
                                         tuple->items()[i].type_name(), i));
    }
    out.push_back(*text);
  }
  return out;
}

Value has_affix(Args& args, bool at_start) {
  Value given;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> stop;
  args.unpack_positional({required("x", given), optional("start", start), optional("end", stop)});
  const std::string_view text = text_part(self_text(args), start, stop).text;
  std::vector<Value> kept;
  for (const std::string_view affix : affixes_of(args, given, kept)) {
    if (at_start ? text.starts_with(affix) : text.ends_with(affix)) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Value string_startswith(Args& args) { return has_affix(args, true); }
Value string_endswith(Args& args) { return has_affix(args, false); }

Value string_join(Args& args) {
  Iterable items;
  args.unpack_positional({required("iterable", items)});
  const std::string_view separator = self_text(args);
  std::string out;
  Iteration iteration(items.value);
  std::size_t count = 0;
  for (Value item; iteration.next(item); ++count) {
    const Object* object = item.as_object();
    const Value plain = object != nullptr ? object->unwrapped().value_or(item) : item;
    const auto text = plain.as_string();
    if (!text) {
      raise(code::kType, fmt::format("join: in {}, want string, got {}", items.value.type_name(),
                                     item.type_name()));
    }
    Heap::reserve(out.size() + separator.size() + text->size());
    if (count > 0) out += separator;
    out += *text;
  }
  return make_string(std::move(out));
}

std::string replaced(std::string_view text, std::string_view old, std::string_view fresh,
                     std::int64_t max) {
  std::string out;
  const auto append = [&out](std::string_view piece) {
    Heap::reserve(out.size() + piece.size());
    out += piece;
  };
  for (std::int64_t done = 0; max < 0 || done < max; ++done) {
    if (old.empty()) {
      append(fresh);
      if (text.empty()) return out;
      const std::size_t size = decode_utf8(text).size;
      append(text.substr(0, size));
      text.remove_prefix(size);
      continue;
    }
    const std::size_t at = text.find(old);
    if (at == std::string_view::npos) break;
    append(text.substr(0, at));
    append(fresh);
    text.remove_prefix(at + old.size());
  }
  append(text);
  return out;
}

Value string_replace(Args& args) {
  std::string_view old;
  std::string_view fresh;
  std::int64_t max = -1;
  args.unpack_positional({required("old", old), required("new", fresh), optional("count", max)});
  return make_string(replaced(self_text(args), old, fresh, max));
}

Value string_removeprefix(Args& args) {
  std::string_view prefix;
  args.unpack_positional({required("prefix", prefix)});
  std::string_view text = self_text(args);
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return Value::string(text);
}

Value string_removesuffix(Args& args) {
  std::string_view suffix;
  args.unpack_positional({required("suffix", suffix)});
  std::string_view text = self_text(args);
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return Value::string(text);
}

Value view_of(Args& args, bool code_points, bool ordinals) {
  args.unpack_positional({});
  return Value::of(new StringElements(args.self(), code_points, ordinals));
}

Value string_elems(Args& args) { return view_of(args, false, false); }
Value string_elem_ords(Args& args) { return view_of(args, false, true); }
Value string_codepoints(Args& args) { return view_of(args, true, false); }
Value string_codepoint_ords(Args& args) { return view_of(args, true, true); }
Value bytes_elems(Args& args) { return view_of(args, false, true); }

}  // namespace

const MemberTable& string_members() {
  static const MemberTable* const kMembers = new MemberTable{
      {"capitalize", string_capitalize},
      {"codepoint_ords", string_codepoint_ords},
      {"codepoints", string_codepoints},
      {"count", string_count},
      {"elem_ords", string_elem_ords},
      {"elems", string_elems},
      {"endswith", string_endswith},
      {"find", string_find},
      {"format", string_format},
      {"index", string_index},
      {"isalnum", string_isalnum},
      {"isalpha", string_isalpha},
      {"isdigit", string_isdigit},
      {"islower", string_islower},
      {"isspace", string_isspace},
      {"istitle", string_istitle},
      {"isupper", string_isupper},
      {"join", string_join},
      {"lower", string_lower},
      {"lstrip", string_lstrip},
      {"partition", string_partition},
      {"removeprefix", string_removeprefix},
      {"removesuffix", string_removesuffix},
      {"replace", string_replace},
      {"rfind", string_rfind},
      {"rindex", string_rindex},
      {"rpartition", string_rpartition},
      {"rsplit", string_rsplit},
      {"rstrip", string_rstrip},
      {"split", string_split},
      {"splitlines", string_splitlines},
      {"startswith", string_startswith},
      {"strip", string_strip},
      {"title", string_title},
      {"upper", string_upper},
  };
  return *kMembers;
}

const MemberTable& bytes_members() {
  static const MemberTable* const kMembers = new MemberTable{{"elems", bytes_elems}};
  return *kMembers;
}

}  // namespace misrule::star
