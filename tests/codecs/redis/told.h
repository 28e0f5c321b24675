#pragma once

// What COMMAND answers, put together by a test.

#include <initializer_list>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace misrule::codecs::redis::told {

inline std::string text(std::string_view words) {
  return fmt::format("${}\r\n{}\r\n", words.size(), words);
}
inline std::string status(std::string_view word) { return fmt::format("+{}\r\n", word); }
inline std::string number(int value) { return fmt::format(":{}\r\n", value); }
inline std::string list(std::initializer_list<std::string> items) {
  std::string wire = fmt::format("*{}\r\n", items.size());
  for (const std::string& item : items) wire += item;
  return wire;
}
inline const std::string kNil = "*-1\r\n";

/// As servers before 7 describe a command, and as the front of what later ones say.
struct Old {
  std::string_view name;
  int first = 0;
  int last = 0;
  int step = 0;
  std::string flags = list({});
};
inline std::string fields(const Old& old) {
  return text(old.name) + number(-2) + old.flags + number(old.first) + number(old.last) +
         number(old.step);
}
inline std::string old_command(const Old& old) { return "*6\r\n" + fields(old); }
inline std::string command(const Old& old, const std::string& specs,
                           const std::string& parts = list({})) {
  return "*10\r\n" + fields(old) + list({}) + list({}) + specs + parts;
}

inline std::string spec(const std::string& begin, const std::string& find,
                        const std::string& flags = list({status("RO"), status("access")})) {
  return list({text("flags"), flags, text("begin_search"), begin, text("find_keys"), find});
}
inline std::string by_index(int index) {
  return list({text("type"), text("index"), text("spec"), list({text("index"), number(index)})});
}
inline std::string by_keyword(std::string_view word, int from) {
  return list({text("type"), text("keyword"), text("spec"),
               list({text("keyword"), text(word), text("startfrom"), number(from)})});
}
inline std::string range(int last, int step, int limit) {
  return list({text("type"), text("range"), text("spec"),
               list({text("lastkey"), number(last), text("keystep"), number(step), text("limit"),
                     number(limit)})});
}
inline std::string counted(int number_at, int first, int step) {
  return list({text("type"), text("keynum"), text("spec"),
               list({text("keynumidx"), number(number_at), text("firstkey"), number(first),
                     text("keystep"), number(step)})});
}
inline std::string unknown() {
  return list({text("type"), text("unknown"), text("spec"), list({})});
}

}  // namespace misrule::codecs::redis::told
