#include "controller/events/is_json.h"

#include <boost/json/basic_parser_impl.hpp>

namespace misrule::controller {
namespace {

namespace json = boost::json;

/// Takes everything and keeps nothing. The names are those that the parser calls.
struct Nowhere {
  using Text = json::string_view;
  using Error = json::error_code;
  // NOLINTBEGIN(readability-identifier-naming): as the parser spells them.
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)

  static bool on_document_begin(Error&) { return true; }
  static bool on_document_end(Error&) { return true; }
  static bool on_object_begin(Error&) { return true; }
  static bool on_object_end(std::size_t, Error&) { return true; }
  static bool on_array_begin(Error&) { return true; }
  static bool on_array_end(std::size_t, Error&) { return true; }
  static bool on_key_part(Text, std::size_t, Error&) { return true; }
  static bool on_key(Text, std::size_t, Error&) { return true; }
  static bool on_string_part(Text, std::size_t, Error&) { return true; }
  static bool on_string(Text, std::size_t, Error&) { return true; }
  static bool on_number_part(Text, Error&) { return true; }
  static bool on_int64(std::int64_t, Text, Error&) { return true; }
  static bool on_uint64(std::uint64_t, Text, Error&) { return true; }
  static bool on_double(double, Text, Error&) { return true; }
  static bool on_bool(bool, Error&) { return true; }
  static bool on_null(Error&) { return true; }
  static bool on_comment_part(Text, Error&) { return true; }
  static bool on_comment(Text, Error&) { return true; }
};

}  // namespace

bool is_json(std::string_view text) {
  json::basic_parser<Nowhere> parser(json::parse_options{});
  json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error || !parser.done()) return false;
  // Behind the document the parser stops; only blanks may follow.
  return text.find_first_not_of(" \t\n\r", read) == std::string_view::npos;
}

}  // namespace misrule::controller
