#include "codecs/postgres/values.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "codecs/postgres/arrays.h"
#include "codecs/postgres/date_time.h"
#include "codecs/postgres/interval.h"
#include "codecs/postgres/numeric.h"

namespace misrule::codecs::postgres {

namespace {

constexpr std::uint8_t kJsonbVersion = 1;
constexpr std::size_t kUuidBytes = 16;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = {};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(end - text.size(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

/// As the server's output functions write it, where no type asks for more.
std::optional<std::string> plain_text(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value.held)) return *truth ? "t" : "f";
  if (const auto* whole = std::get_if<std::int64_t>(&value.held)) return fmt::format("{}", *whole);
  if (const auto* number = std::get_if<double>(&value.held)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&value.held)) return *text;
  return std::nullopt;
}

std::optional<bool> as_bool(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value.held)) return *truth;
  const auto text = plain_text(value);
  if (text == "t" || text == "true" || text == "1") return true;
  if (text == "f" || text == "false" || text == "0") return false;
  return std::nullopt;
}

std::optional<std::int64_t> as_whole(const Value& value, std::int64_t min, std::int64_t max) {
  std::optional<std::int64_t> whole;
  if (const auto* held = std::get_if<std::int64_t>(&value.held)) whole = *held;
  if (const auto* text = std::get_if<std::string>(&value.held)) {
    whole = parse_number<std::int64_t>(*text);
  }
  if (!whole || *whole < min || *whole > max) return std::nullopt;
  return whole;
}

std::optional<double> as_double(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.held)) {
    return static_cast<double>(*whole);
  }
  if (const auto* number = std::get_if<double>(&value.held)) return *number;
  const auto* text = std::get_if<std::string>(&value.held);
  return text == nullptr ? std::nullopt : parse_number<double>(*text);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string in_hex(ByteView bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::optional<std::string> encode_bytea(const Value& value) {
  const auto text = plain_text(value);
  if (!text) return std::nullopt;
  return text->starts_with("\\x") ? from_hex(std::string_view(*text).substr(2)) : text;
}

std::optional<std::string> encode_uuid(const Value& value) {
  auto text = plain_text(value);
  if (!text) return std::nullopt;
  std::erase(*text, '-');
  auto bytes = from_hex(*text);
  return bytes && bytes->size() == kUuidBytes ? bytes : std::nullopt;
}

std::string uuid_text(ByteView bytes) {
  std::string text = in_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

template <class Whole>
std::optional<std::string> encode_whole(const Value& value) {
  using Limits = std::numeric_limits<Whole>;
  const auto whole = as_whole(value, Limits::min(), Limits::max());
  if (!whole) return std::nullopt;
  std::string out;
  if constexpr (sizeof(Whole) == 2) append_u16(out, static_cast<std::uint16_t>(*whole));
  if constexpr (sizeof(Whole) == 4) append_u32(out, static_cast<std::uint32_t>(*whole));
  if constexpr (sizeof(Whole) == 8) append_u64(out, static_cast<std::uint64_t>(*whole));
  return out;
}

std::optional<std::string> encode_time(std::uint32_t type, const Value& value) {
  const auto* text = std::get_if<std::string>(&value.held);
  if (text == nullptr) return std::nullopt;
  std::string out;
  if (type == kDate) {
    const auto days = parse_date(*text);
    if (!days) return std::nullopt;
    append_u32(out, static_cast<std::uint32_t>(*days));
    return out;
  }
  const auto microseconds = parse_timestamp(*text);
  if (!microseconds) return std::nullopt;
  append_u64(out, static_cast<std::uint64_t>(*microseconds));
  return out;
}

/// What is no point in time: intervals, times of day.
std::optional<std::string> encode_span(std::uint32_t type, const Value& value) {
  const auto* text = std::get_if<std::string>(&value.held);
  if (text == nullptr) return std::nullopt;
  std::string out;
  if (type == kInterval) {
    const auto interval = parse_interval(*text);
    if (!interval) return std::nullopt;
    append_u64(out, static_cast<std::uint64_t>(interval->microseconds));
    append_u32(out, static_cast<std::uint32_t>(interval->days));
    append_u32(out, static_cast<std::uint32_t>(interval->months));
    return out;
  }
  if (type == kTime) {
    const auto time = parse_time(*text);
    if (!time) return std::nullopt;
    append_u64(out, static_cast<std::uint64_t>(*time));
    return out;
  }
  const auto time = parse_time_tz(*text);
  if (!time) return std::nullopt;
  append_u64(out, static_cast<std::uint64_t>(time->microseconds));
  append_u32(out, static_cast<std::uint32_t>(time->seconds_west));
  return out;
}

std::optional<std::string> encode_number(std::uint32_t type, const Value& value) {
  if (type == kNumeric) {
    const auto text = plain_text(value);
    return text ? encode_numeric(*text) : std::nullopt;
  }
  const auto number = as_double(value);
  if (!number) return std::nullopt;
  std::string out;
  if (type == kFloat8) {
    append_u64(out, std::bit_cast<std::uint64_t>(*number));
  } else {
    append_u32(out, std::bit_cast<std::uint32_t>(static_cast<float>(*number)));
  }
  return out;
}

bool is_text(std::uint32_t type) {
  return type == kText || type == kVarchar || type == kBpchar || type == kName || type == kJson ||
         type == kJsonb || type == kUnknown;
}

std::optional<std::string> encode_binary(std::uint32_t type, const Value& value);

std::optional<std::string> encode_elements(std::uint32_t type, const Value& value) {
  const auto* text = std::get_if<std::string>(&value.held);
  auto elements = text == nullptr ? std::nullopt : parse_array(*text);
  if (!elements) return std::nullopt;
  for (auto& element : *elements) {
    if (!element) continue;
    auto binary = encode_binary(type, Value{*std::move(element)});
    if (!binary) return std::nullopt;
    element = *std::move(binary);
  }
  return encode_array(type, *elements);
}

/// Nothing if the type is not known, too.
std::optional<std::string> encode_binary(std::uint32_t type, const Value& value) {
  switch (type) {
    case kBool: {
      const auto truth = as_bool(value);
      return truth ? std::optional(std::string(1, *truth ? '\1' : '\0')) : std::nullopt;
    }
    case kInt2:
      return encode_whole<std::int16_t>(value);
    case kInt4:
      return encode_whole<std::int32_t>(value);
    case kOid:
      return encode_whole<std::uint32_t>(value);
    case kInt8:
      return encode_whole<std::int64_t>(value);
    case kFloat4:
    case kFloat8:
    case kNumeric:
      return encode_number(type, value);
    case kDate:
    case kTimestamp:
    case kTimestampTz:
      return encode_time(type, value);
    case kTime:
    case kTimeTz:
    case kInterval:
      return encode_span(type, value);
    case kUuid:
      return encode_uuid(value);
    case kBytea:
      return encode_bytea(value);
    default:
      break;
  }
  if (const std::uint32_t element = element_type(type)) return encode_elements(element, value);
  if (!is_text(type)) return std::nullopt;
  auto text = plain_text(value);
  if (text && type == kJsonb) text->insert(0, 1, static_cast<char>(kJsonbVersion));
  return text;
}

bool has_binary(std::uint32_t type) {
  constexpr std::uint32_t kTypes[] = {kBool,   kInt2,     kInt4, kOid,       kInt8,        kFloat4,
                                      kFloat8, kNumeric,  kDate, kTimestamp, kTimestampTz, kTime,
                                      kTimeTz, kInterval, kUuid, kBytea};
  return std::ranges::find(kTypes, type) != std::end(kTypes);
}

/// An array of more than one dimension, or with indices of its own: as it is, or not at all.
std::optional<std::string> array_as_said(const Value& value) {
  const auto* text = std::get_if<std::string>(&value.held);
  const bool is_one = text != nullptr && (text->starts_with('{') || text->starts_with('['));
  return is_one && text->ends_with('}') && !parse_array(*text) ? std::optional(*text)
                                                               : std::nullopt;
}

std::optional<std::string> whole_text(std::uint32_t type, ByteView bytes) {
  ByteReader reader(bytes);
  switch (type) {
    case kInt2:
      return bytes.size() == 2 ? std::optional(fmt::format("{}", reader.read_i16())) : std::nullopt;
    case kInt4:
      return bytes.size() == 4 ? std::optional(fmt::format("{}", reader.read_i32())) : std::nullopt;
    case kOid:
      return bytes.size() == 4 ? std::optional(fmt::format("{}", reader.read_u32())) : std::nullopt;
    default:
      return bytes.size() == 8 ? std::optional(fmt::format("{}", reader.read_i64())) : std::nullopt;
  }
}

std::optional<std::string> float_text(ByteView bytes) {
  ByteReader reader(bytes);
  if (bytes.size() == 4) return fmt::format("{}", std::bit_cast<float>(reader.read_u32()));
  if (bytes.size() == 8) return fmt::format("{}", std::bit_cast<double>(reader.read_u64()));
  return std::nullopt;
}

std::optional<std::string> moment_text(std::uint32_t type, ByteView bytes) {
  ByteReader reader(bytes);
  if (type == kDate) {
    return bytes.size() == 4 ? std::optional(date_text(reader.read_i32())) : std::nullopt;
  }
  if (bytes.size() != 8) return std::nullopt;
  return timestamp_text(reader.read_i64()) + (type == kTimestampTz ? "+00" : "");
}

std::optional<std::string> span_text(std::uint32_t type, ByteView bytes) {
  ByteReader reader(bytes);
  const std::int64_t microseconds = reader.read_i64();
  if (type == kTime) {
    return bytes.size() == 8 ? std::optional(time_text(microseconds)) : std::nullopt;
  }
  const std::int32_t second = reader.read_i32();
  if (type == kTimeTz) {
    const TimeTz time{.microseconds = microseconds, .seconds_west = second};
    return bytes.size() == 12 ? std::optional(time_tz_text(time)) : std::nullopt;
  }
  const Interval interval{
      .microseconds = microseconds, .days = second, .months = reader.read_i32()};
  return bytes.size() == 16 ? std::optional(interval_text(interval)) : std::nullopt;
}

std::optional<std::string> elements_text(std::uint32_t type, ByteView bytes) {
  auto elements = decode_array(type, bytes);
  if (!elements) return std::nullopt;
  for (auto& element : *elements) {
    if (!element) continue;
    auto text = text_of_binary(type, *element);
    if (!text) return std::nullopt;
    element = *std::move(text);
  }
  return array_text(*elements);
}

}  // namespace

std::optional<std::string> encode_value(std::uint32_t type, Format format, const Value& value) {
  if (format == Format::kBinary) return encode_binary(type, value);
  const bool is_array = element_type(type) != 0;
  if (!has_binary(type) && !is_array) return plain_text(value);
  const auto bytes = encode_binary(type, value);
  if (!bytes) return is_array ? array_as_said(value) : std::nullopt;
  return text_of_binary(type, *bytes);
}

std::optional<std::string> text_of_binary(std::uint32_t type, ByteView bytes) {
  switch (type) {
    case kBool:
      return bytes.size() == 1 ? std::optional(bytes.front() == '\0' ? "f" : "t") : std::nullopt;
    case kInt2:
    case kInt4:
    case kOid:
    case kInt8:
      return whole_text(type, bytes);
    case kFloat4:
    case kFloat8:
      return float_text(bytes);
    case kNumeric:
      return numeric_text(bytes);
    case kDate:
    case kTimestamp:
    case kTimestampTz:
      return moment_text(type, bytes);
    case kTime:
    case kTimeTz:
    case kInterval:
      return span_text(type, bytes);
    case kUuid:
      return bytes.size() == kUuidBytes ? std::optional(uuid_text(bytes)) : std::nullopt;
    case kBytea:
      return "\\x" + in_hex(bytes);
    case kJsonb:
      return bytes.empty() ? std::nullopt : std::optional(std::string(bytes.substr(1)));
    default:
      break;
  }
  if (const std::uint32_t element = element_type(type)) return elements_text(element, bytes);
  return std::string(bytes);
}

std::uint32_t natural_type(const Value& value) {
  if (std::holds_alternative<bool>(value.held)) return kBool;
  if (std::holds_alternative<std::int64_t>(value.held)) return kInt8;
  return std::holds_alternative<double>(value.held) ? kFloat8 : kText;
}

}  // namespace misrule::codecs::postgres
