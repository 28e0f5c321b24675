// How is an event written as a line of JSON, and read again?
//
// {"number":7,"time_ns":1,"source_time_ns":1,"service":"api","type":"proxy","after":[6],
//  "clock":{"api":3,"test":2},"fields":{"query":"SELECT 1","data":{"a":1}}}
//
// A decoded payload stands in the line as it is; what claims to be JSON and is not becomes text.
// Bytes that are no UTF-8 become U+FFFD in the file; the event in memory keeps them.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>

#include <boost/json.hpp>

#include "controller/events/event_log.h"
#include "controller/events/is_json.h"
#include "controller/events/json_slice.h"
#include "controller/events/utf8.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;
using model::Event;
using model::Field;

constexpr std::size_t kLineBytesMax = std::size_t{64} << 20U;

/// Whether it stands between quotes as it is (RFC 8259, section 7): printable ASCII, no quote, no
/// backslash. The log is full of such, so eight characters are looked at in one step.
bool is_plain(std::uint64_t eight) {
  constexpr std::uint64_t kEach = 0x0101010101010101U;
  constexpr std::uint64_t kHigh = 0x80U * kEach;
  const auto has_zero = [](std::uint64_t word) { return (word - kEach) & ~word; };
  const std::uint64_t low = eight - 0x20U * kEach;  // Borrows where a character is below a blank.
  return ((eight | low | has_zero(eight ^ ('"' * kEach)) | has_zero(eight ^ ('\\' * kEach)) |
           has_zero(eight ^ (0x7FU * kEach))) &
          kHigh) == 0;
}

bool is_plain(std::string_view text) {
  std::uint64_t eight = 0;
  if (text.size() < sizeof(eight)) {
    eight = 0x2020202020202020U;
    for (std::size_t i = 0; i < text.size(); ++i) {
      eight = eight << 8U | static_cast<unsigned char>(text[i]);
    }
    return is_plain(eight);
  }
  for (std::size_t at = 0; at + sizeof(eight) < text.size(); at += sizeof(eight)) {
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    if (!is_plain(eight)) return false;
  }
  std::memcpy(&eight, text.data() + text.size() - sizeof(eight), sizeof(eight));
  return is_plain(eight);
}

/// The end of a string that grows by many short pieces: its size is set once, at last.
class Line {
 public:
  explicit Line(std::string& out) : out_(out), used_(out.size()) { grow(kBytesUsual); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { out_.resize(used_); }

  void add(std::string_view text) {
    text.copy(room(text.size()), text.size());
    used_ += text.size();
  }
  template <typename Number>
  void add_number(Number value) {
    constexpr std::size_t kDigitsMax = 24;
    char* const at = room(kDigitsMax);
    used_ += static_cast<std::size_t>(std::to_chars(at, at + kDigitsMax, value).ptr - at);
  }
  /// Between quotes, and `behind` it.
  void add_string(std::string_view text, std::string_view behind = {}) {
    if (!is_plain(text)) {
      add(json::serialize(json::string_view(as_utf8(text))));
      return add(behind);
    }
    char* at = room(text.size() + behind.size() + 2);
    *at++ = '"';
    at = std::ranges::copy(text, at).out;
    *at++ = '"';
    at = std::ranges::copy(behind, at).out;
    used_ = static_cast<std::size_t>(at - out_.data());
  }

 private:
  static constexpr std::size_t kBytesUsual = 512;

  char* room(std::size_t bytes) {
    if (out_.size() - used_ < bytes) grow(bytes);
    return out_.data() + used_;
  }
  void grow(std::size_t bytes) {
    const std::size_t size = std::max(used_ + bytes, out_.size() * 2);
    out_.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  }

  std::string& out_;
  std::size_t used_ = 0;
};

struct FieldWriter {
  Line& line;

  void operator()(std::nullptr_t) const { line.add("null"); }
  void operator()(bool value) const { line.add(value ? "true" : "false"); }
  void operator()(std::int64_t value) const { line.add_number(value); }
  void operator()(double value) const {
    const std::string text = fmt::format("{}", value);
    if (!std::isfinite(value)) return line.add_string(text);
    line.add(text);
    if (text.find_first_of(".e") == std::string::npos) line.add(".0");
  }
  void operator()(const std::string& value) const { line.add_string(value); }
  void operator()(const model::Json& value) const {
    if (!is_json(value.text)) return line.add_string(value.text);
    const bool is_compact = std::ranges::all_of(value.text, [](char c) { return c > ' '; });
    line.add(is_compact ? value.text : compact_json(value.text));
  }
};

Result<json::value> parse(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return fail(Code::kInvalid, fmt::format("not JSON: {}", error.message()));
  return value;
}

/// A nested document stays text; anything else is the scalar that it spells.
Result<Field> field_from(std::string_view text) {
  if (!text.empty() && (text.front() == '{' || text.front() == '[')) {
    return Field(model::Json{.text = std::string(text)});
  }
  MISRULE_TRY(const json::value value, parse(text));
  switch (value.kind()) {
    case json::kind::bool_:
      return Field(value.get_bool());
    case json::kind::int64:
      return Field(value.get_int64());
    case json::kind::double_:
      return Field(value.get_double());
    case json::kind::string:
      return Field(std::string(value.get_string()));
    case json::kind::uint64:  // Beyond an int64: kept as the document that it is.
      return Field(model::Json{.text = std::string(text)});
    default:
      return Field(nullptr);
  }
}

Result<std::string> unquoted(std::string_view key) {
  MISRULE_TRY(const json::value value, parse(key));
  if (!value.is_string()) return fail(Code::kInvalid, "a key is not a string");
  return std::string(value.get_string());
}

Status read_fields(std::string_view text, Event& event) {
  for (const JsonMember& member : slice_json(text)) {
    MISRULE_TRY(std::string key, unquoted(member.key));
    MISRULE_TRY(Field field, field_from(member.value));
    event.set(std::move(key), std::move(field));
  }
  return {};
}

Result<std::uint64_t> unsigned_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  json::error_code error;
  const auto number = value != nullptr ? value->to_number<std::uint64_t>(error) : 0;
  if (value == nullptr || error) {
    return fail(Code::kInvalid, fmt::format("\"{}\" is missing or not a number", name));
  }
  return number;
}

Result<std::string> string_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) {
    return fail(Code::kInvalid, fmt::format("\"{}\" is missing or not a string", name));
  }
  return std::string(value->get_string());
}

std::int64_t signed_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

void read_causality(const json::object& line, Event& event) {
  if (const auto* after = line.if_contains("after"); after != nullptr && after->is_array()) {
    for (const json::value& item : after->get_array()) {
      json::error_code error;
      const auto number = item.to_number<std::uint64_t>(error);
      if (!error) event.after.push_back(number);
    }
  }
  if (const auto* clock = line.if_contains("clock"); clock != nullptr && clock->is_object()) {
    for (const auto& [service, count] : clock->get_object()) {
      json::error_code error;
      const auto number = count.to_number<std::uint64_t>(error);
      if (!error) event.clock.emplace_back(std::string(service), number);
    }
  }
}

}  // namespace

void append_json(std::string& out, const Event& event) {
  Line line(out);
  line.add("{\"number\":");
  line.add_number(event.number);
  line.add(",\"time_ns\":");
  line.add_number(event.time_ns);
  line.add(",\"source_time_ns\":");
  line.add_number(event.source_time_ns);
  line.add(",\"service\":");
  line.add_string(event.service, ",\"type\":");
  line.add_string(event.type);
  if (!event.after.empty()) line.add(fmt::format(",\"after\":[{}]", fmt::join(event.after, ",")));
  line.add(",\"clock\":{");
  for (bool first = true; const auto& [service, count] : event.clock) {
    if (!std::exchange(first, false)) line.add(",");
    line.add_string(service, ":");
    line.add_number(count);
  }
  line.add("},\"fields\":{");
  for (bool first = true; const auto& [name, field] : event.fields) {
    if (!std::exchange(first, false)) line.add(",");
    line.add_string(name, ":");
    std::visit(FieldWriter{line}, field);
  }
  line.add("}}");
}

std::string event_to_json(const Event& event) {
  std::string out;
  append_json(out, event);
  return out;
}

Result<Event> event_from_json(std::string_view line) {
  if (line.size() > kLineBytesMax) {
    return fail(Code::kLimit,
                fmt::format("an event of {} bytes exceeds {}", line.size(), kLineBytesMax));
  }
  MISRULE_TRY(const json::value value, parse(line));
  if (!value.is_object()) return fail(Code::kInvalid, "an event is a JSON object");
  const json::object& object = value.get_object();
  Event event;
  MISRULE_TRY(event.number, unsigned_member(object, "number"));
  MISRULE_TRY(event.service, string_member(object, "service"));
  MISRULE_TRY(event.type, string_member(object, "type"));
  event.time_ns = signed_member(object, "time_ns");
  event.source_time_ns = signed_member(object, "source_time_ns");
  read_causality(object, event);
  for (const JsonMember& member : slice_json(line)) {
    if (member.key != "\"fields\"") continue;
    if (!member.value.starts_with('{')) return fail(Code::kInvalid, "\"fields\" is not an object");
    MISRULE_TRY_VOID(read_fields(member.value, event));
  }
  return event;
}

Result<std::vector<Event>> read_event_log(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(errno_error("opening " + path, errno));
  std::vector<Event> events;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (file.eof()) break;  // No line break: the writer was killed in the middle.
    auto event = event_from_json(line);
    if (!event) {
      return std::unexpected(std::move(event).error().with(fmt::format("{}:{}", path, number)));
    }
    events.push_back(*std::move(event));
  }
  return events;
}

}  // namespace misrule::controller
