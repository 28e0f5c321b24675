#pragma once

// Values as PostgreSQL's types write them, in text and in binary: what a rule makes up goes out so,
// and a bound parameter is read so.

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "codecs/value.h"

namespace misrule::codecs::postgres {

/// pg_type's oids, which no server changes.
enum TypeOid : std::uint32_t {
  kBool = 16,
  kBytea = 17,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kUnknown = 705,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTime = 1083,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kInterval = 1186,
  kTimeTz = 1266,
  kNumeric = 1700,
  kUuid = 2950,
  kJsonb = 3802,
};

enum class Format : std::uint8_t { kText, kBinary };

/// Nothing if the type has no such value, or, in binary, if the type is neither one of the above
/// nor an array of them with one dimension ("{1,2}"). A type that is not known, and an array of
/// more dimensions, takes any text in text format. `value` is not null.
std::optional<std::string> encode_value(std::uint32_t type, Format format, const Value& value);

/// A binary value as the server would write it in text; nothing if it cannot be read so.
std::optional<std::string> text_of_binary(std::uint32_t type, ByteView bytes);

/// The type that a value has where no table says it.
std::uint32_t natural_type(const Value& value);

}  // namespace misrule::codecs::postgres
