// String methods about letters: upper, title, isdigit ...

#include <functional>

#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/strings.h"
#include "spec/starlark/lib/text_search.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::star {
namespace {

using Change = std::function<char32_t(char32_t)>;
using Question = std::function<bool(char32_t)>;

std::string changed(std::string_view text, const Change& change) {
  Heap::reserve(text.size());
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    append_utf8(out, change(next.point));
    text.remove_prefix(next.size);
  }
  return out;
}

Value with_change(Args& args, const Change& change) {
  args.unpack_positional({});
  return make_string(changed(self_text(args), change));
}

bool is_cased(char32_t p) { return is_upper(p) || is_lower(p) || is_title(p); }

bool all_points(std::string_view text, const Question& question) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (!question(next.point)) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

Value ask_all(Args& args, const Question& question) {
  args.unpack_positional({});
  return Value::boolean(all_points(self_text(args), question));
}

/// Some cased letter, and none that the change would change.
Value is_unchanged(Args& args, char32_t (*change)(char32_t)) {
  args.unpack_positional({});
  bool cased = false;
  std::string_view text = self_text(args);
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (change(next.point) != next.point) return Value::boolean(false);
    cased = cased || is_cased(next.point);
    text.remove_prefix(next.size);
  }
  return Value::boolean(cased);
}

}  // namespace

Value string_lower(Args& args) { return with_change(args, to_lower); }
Value string_upper(Args& args) { return with_change(args, to_upper); }

Value string_capitalize(Args& args) {
  bool first = true;
  return with_change(args, [&first](char32_t p) {
    const char32_t out = first ? to_title(p) : to_lower(p);
    first = false;
    return out;
  });
}

Value string_title(Args& args) {
  bool in_word = false;
  return with_change(args, [&in_word](char32_t p) {
    const char32_t out = in_word ? to_lower(p) : to_title(p);
    in_word = is_cased(p);
    return out;
  });
}

Value string_isalnum(Args& args) {
  return ask_all(args, [](char32_t p) { return is_letter(p) || is_digit(p); });
}
Value string_isalpha(Args& args) { return ask_all(args, is_letter); }
Value string_isdigit(Args& args) { return ask_all(args, is_digit); }
Value string_isspace(Args& args) { return ask_all(args, is_space); }
Value string_islower(Args& args) { return is_unchanged(args, to_lower); }
Value string_isupper(Args& args) { return is_unchanged(args, to_upper); }

Value string_istitle(Args& args) {
  args.unpack_positional({});
  bool cased = false;
  bool in_word = false;
  std::string_view text = self_text(args);
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    const bool upper = is_upper(next.point) || is_title(next.point);
    if (upper && (in_word || to_title(next.point) != next.point)) return Value::boolean(false);
    if (is_lower(next.point) && !in_word) return Value::boolean(false);
    in_word = is_cased(next.point);
    cased = cased || in_word;
    text.remove_prefix(next.size);
  }
  return Value::boolean(cased);
}

}  // namespace misrule::star
