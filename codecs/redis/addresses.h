#pragma once

// Where, in what a server of a cluster or a Sentinel says, are addresses of servers, and how are
// others put in their places? Else clients would leave the proxy behind.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace misrule::codecs::redis {

/// "host:port" of a server (":port": where the answer came from) to "host:port" of where clients
/// are to go instead; empty: there itself. "plain:" or "tls:" stands in front where the server has
/// a port for each.
using Route = std::function<std::string(std::string_view node)>;

/// How addresses stand in an answer.
enum class AddressForm : std::uint8_t {
  kSlots,   ///< CLUSTER SLOTS: a string, then a number.
  kFields,  ///< CLUSTER SHARDS, SENTINEL MASTERS: behind "ip", "endpoint" and "port".
  kLines,   ///< CLUSTER NODES: the second word of each line.
  kPair,    ///< SENTINEL GET-MASTER-ADDR-BY-NAME: two strings.
};
std::optional<AddressForm> address_form_of(std::string_view command);

/// `reply`: a whole value. Empty: nothing is to be changed.
std::string readdressed(ByteView reply, AddressForm form, const Route& route);

/// "MOVED 3999 127.0.0.1:6381" or "ASK ..."? Such an error may answer any command.
bool is_redirection(std::string_view error);
/// Empty: nothing is to be changed.
std::string readdressed_error(std::string_view error, const Route& route);

}  // namespace misrule::codecs::redis
