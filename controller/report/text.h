#pragma once

// Text on a terminal: how wide it is, how it is cut, coloured and made harmless.

#include <string>
#include <string_view>

#include "base/clock.h"

namespace misrule::controller {

/// Code points; good enough for what reports print.
std::size_t text_columns(std::string_view text);

/// At most `columns` wide, with an ellipsis if something was cut.
std::string cut_to(std::string_view text, std::size_t columns);

/// With blanks up to `columns`; longer text stays.
std::string padded(std::string_view text, std::size_t columns);

/// One line of foreign text: blanks of any kind become one space, control characters a dot.
std::string printable(std::string_view text);

/// Foreign text that may have several lines: as printable(), but blanks stay (no carriage return).
std::string harmless(std::string_view text);

/// "0.41 s", "12 ms" below ten milliseconds is "3.2 ms".
std::string seconds_text(Duration duration);

/// What a spec spells in ASCII, as people read it: "->" becomes an arrow.
std::string with_arrows(std::string_view text);

/// Colours, or none.
class Paint {
 public:
  explicit Paint(bool color) : color_(color) {}

  std::string red(std::string_view text) const { return wrapped("31", text); }
  std::string green(std::string_view text) const { return wrapped("32", text); }
  std::string yellow(std::string_view text) const { return wrapped("33", text); }
  std::string dim(std::string_view text) const { return wrapped("2", text); }
  std::string bold(std::string_view text) const { return wrapped("1", text); }

 private:
  std::string wrapped(std::string_view code, std::string_view text) const;

  bool color_;
};

}  // namespace misrule::controller
