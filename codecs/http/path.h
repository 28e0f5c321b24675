#pragma once

// The path that rules match: what a request asks for, in one spelling.
//
//   target sent                     path
//   /orders?id=1                    /orders
//   http://shop:8080/orders#x       /orders
//   /caf%c3%a9/a%20b                /café/a b
//   /a/./b/../c                     /a/c
//   /files/a%2fb                    /files/a%2Fb    an encoded slash separates nothing
//   *                               *               OPTIONS
//   shop:443                        shop:443        CONNECT
//
// Letters' case and repeated slashes are kept: servers tell them apart.

#include <string>
#include <string_view>

namespace misrule::codecs::http {

/// The view points into `target` or, where decoding changed anything, into `storage`.
std::string_view normal_path(std::string_view target, std::string& storage);

/// The path as it was sent: "/caf%C3%A9/./b". The digits of encoded bytes become capitals, because
/// both cases mean the same byte.
std::string raw_path(std::string_view target);
/// Is some byte encoded in it, such as "%2F"?
bool has_encoded_byte(std::string_view text);
/// "%c3%a9" is "%C3%A9"; all else stays.
std::string with_capital_digits(std::string_view text);

/// A name or value of a query string: "a+b%21" is "a b!".
std::string decoded_parameter(std::string_view text);

}  // namespace misrule::codecs::http
