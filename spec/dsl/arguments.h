#pragma once

// Kinds of arguments that the vocabulary adds to those of the language.

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

/// "500ms", "3s", "1.5s", "2m", "100us".
struct DurationText {
  Duration value = {};
};
/// "512KB/s", "1MiB/s", "9600B/s", or a number of bytes.
struct RateText {
  std::uint64_t bytes_per_second = 0;
};
/// A list of strings.
struct StringList {
  std::vector<std::string> items = {};
};
/// A dict of strings, in its order.
struct StringPairs {
  std::vector<std::pair<std::string, std::string>> items = {};
};

bool convert(const star::Value& value, DurationText& out);
bool convert(const star::Value& value, RateText& out);
bool convert(const star::Value& value, StringList& out);
bool convert(const star::Value& value, StringPairs& out);
std::string_view wanted_type(const DurationText*);
std::string_view wanted_type(const RateText*);
std::string_view wanted_type(const StringList*);
std::string_view wanted_type(const StringPairs*);

/// The keywords of a native that takes any number of positional arguments; unknown ones are errors
/// as in Args::unpack().
void unpack_keywords(const star::Args& args, std::initializer_list<star::Param> params);

/// The same text within `bytes_max`, cut with "...".
std::string shortened(std::string text, std::size_t bytes_max);

}  // namespace misrule::dsl
