#pragma once

// What observe=[...] of a service asks for, beside the rows of a database.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace misrule::model {

/// How a line becomes fields.
struct LineDecoder {
  enum class Kind : std::uint8_t {
    kJson,  ///< An object of JSON; also what nobody asked for.
    kLogfmt,
    kRegex,
    kLine,  ///< It does not.
  } kind = Kind::kJson;
  std::string pattern = {};  ///< kRegex: RE2, with named groups.
};

/// stdout(), stderr(): lines that the service prints.
struct PrintedLines {
  std::string stream = {};  ///< "stdout" or "stderr"
  LineDecoder decoder = {};
};

/// file(path): lines that it writes there.
struct WrittenFile {
  std::string path = {};  ///< A relative one: to the service's working directory.
  LineDecoder decoder = {};
};

/// keyspace(): what happens to the keys of a Redis.
struct RedisKeyspace {
  std::vector<std::string> keys = {};  ///< Globs, as the server understands them.
};

/// pubsub(channel): messages that a Redis passes on.
struct RedisChannel {
  std::string channel = {};  ///< A glob, likewise.
  LineDecoder decoder = {};
};

/// tail_http(url): a response that does not end, as server-sent events or line by line.
struct TailedHttp {
  std::string url = {};  ///< As the spec gives it.
  std::uint16_t port = 0;
  std::string path = {};
  LineDecoder decoder = {};
};

/// poll(name, fn): what a function of the spec returns, when it changes.
struct PolledValue {
  std::string name = {};
  std::size_t callable = 0;
  Duration every = {};
};

using Observed =
    std::variant<PrintedLines, WrittenFile, RedisKeyspace, RedisChannel, TailedHttp, PolledValue>;

/// The type of the events that it makes, which is also the word for it: "stdout", "file".
std::string observed_type(const Observed& observed);

}  // namespace misrule::model
