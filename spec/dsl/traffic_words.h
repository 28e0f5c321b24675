#pragma once

// The keywords that narrow a rule to some of the traffic: query=, path=, command= and their like,
// each with the protocol it belongs to and the field of the model it fills in.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/model/rules.pb.h"
#include "spec/model/topology.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

struct TrafficWord {
  std::string_view keyword;
  model::Protocol protocol;
  std::string_view field;  ///< Of that protocol's match.
};

/// query= (PostgreSQL's text, HTTP's parameters) and path= (of a URL or of a file) are not among
/// them.
inline constexpr std::size_t kTrafficWords = 25;
const std::array<TrafficWord, kTrafficWords>& traffic_words();

/// What a call says of them; each may be missing.
using TrafficValues = std::array<std::optional<star::Value>, kTrafficWords>;

/// The parts of a match, by protocol, and which keywords they came from.
struct TrafficMatch {
  model::PostgresMatch postgres = {};
  model::HttpMatch http = {};
  model::RedisMatch redis = {};
  std::vector<TrafficWord> said = {};  ///< In the order of traffic_words().

  /// Something is said about this protocol.
  bool is_about(model::Protocol protocol) const;
  /// Why the value is none for the word; nothing if it was taken.
  std::optional<std::string> take(const TrafficWord& word, const star::Value& value);
  /// query={"id": "7*"}: HTTP's parameters.
  std::optional<std::string> take_query(const star::Value& value);
};

/// JSON's kinds of a Starlark value; nothing for what JSON has not, or cannot hold exactly.
std::optional<google::protobuf::Value> json_value(const star::Value& value);

}  // namespace misrule::dsl
