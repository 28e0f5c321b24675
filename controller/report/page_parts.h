#pragma once

// The files of page/, as the build embeds them (page/embed.cmake).

#include <string_view>

namespace misrule::controller {

extern const std::string_view kPageHtml;  ///< With @TITLE@, @CSS@, @PLAIN@, @DATA@ and @JS@.
extern const std::string_view kPageCss;
extern const std::string_view kPageJs;

}  // namespace misrule::controller
