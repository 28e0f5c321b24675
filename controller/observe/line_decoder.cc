#include "controller/observe/line_decoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <re2/re2.h>

#include "controller/events/utf8.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;

/// Any event's own. What a line calls the same as these, or as a field that its event has already,
/// is in `data` alone.
constexpr std::array<std::string_view, 9> kOwnFields = {
    "number", "time_ns", "source_time_ns", "service", "type", "clock", "body", "data", "injected"};

constexpr std::size_t kDigitsMax = 18;

model::Field field_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return nullptr;
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return value.get_int64();
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string(value.get_string());
    default:
      return model::Json{.text = json::serialize(value)};
  }
}

void set_members(const json::object& members, model::Event& event) {
  for (const auto& [name, value] : members) {
    const bool own = std::ranges::find(kOwnFields, std::string_view(name)) != kOwnFields.end() ||
                     event.find(name) != nullptr;
    if (!own) event.set(std::string(name), field_of(value));
  }
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.size() <= kDigitsMax &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "12", "-3", "1.5", true, false; "007", "1e5" and "+1" are text: they may be names of something.
json::value value_of(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const std::size_t dot = digits.find('.');
  const std::string_view whole = digits.substr(0, dot);
  const bool is_whole = all_digits(whole) && (whole.size() == 1 || whole.front() != '0');
  const bool has_fraction = dot != std::string_view::npos;
  if (!is_whole || (has_fraction && !all_digits(digits.substr(dot + 1)))) {
    return json::string(text.data(), text.size());
  }
  const char* end = text.data() + text.size();
  if (has_fraction) {
    double number = 0;
    std::from_chars(text.data(), end, number);
    return number;
  }
  std::int64_t number = 0;
  std::from_chars(text.data(), end, number);
  return number;
}

/// key=value, key="a \"b\"", key; one after the other.
class Logfmt {
 public:
  explicit Logfmt(std::string_view text) : left_(text) {}

  /// Nothing if the line is not of that form.
  std::optional<json::object> read() {
    json::object members;
    bool has_value = false;
    for (skip_blanks(); !left_.empty(); skip_blanks()) {
      const std::string_view key = take_while([](char c) { return c > ' ' && c != '='; });
      if (key.empty() || key.find('"') != std::string_view::npos) return std::nullopt;
      const json::string_view name(key.data(), key.size());
      if (!left_.starts_with('=')) {
        members[name] = true;
        continue;
      }
      left_.remove_prefix(1);
      has_value = true;
      if (!left_.starts_with('"')) {
        members[name] = value_of(take_while([](char c) { return c > ' '; }));
        continue;
      }
      auto text = take_quoted();
      if (!text) return std::nullopt;
      members[name] = *std::move(text);
    }
    if (!has_value) return std::nullopt;
    return members;
  }

 private:
  template <class Belongs>
  std::string_view take_while(Belongs belongs) {
    const auto is_other = [&belongs](char c) { return !belongs(c) && (c >= 0 || c == '='); };
    const auto end = std::ranges::find_if(left_, is_other);
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    left_.remove_prefix(taken.size());
    return taken;
  }
  void skip_blanks() {
    while (!left_.empty() && left_.front() >= 0 && left_.front() <= ' ') left_.remove_prefix(1);
  }
  /// Nothing if it does not end.
  std::optional<std::string> take_quoted() {
    std::string text;
    for (std::size_t at = 1; at < left_.size(); ++at) {
      if (left_[at] == '"') {
        left_.remove_prefix(at + 1);
        return text;
      }
      if (left_[at] == '\\' && at + 1 < left_.size()) {
        ++at;
        const char c = left_[at];
        text += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        continue;
      }
      text += left_[at];
    }
    return std::nullopt;
  }

  std::string_view left_;
};

void set_object(const json::object& members, model::Event& event) {
  event.set("data", model::Json{.text = json::serialize(members)});
  set_members(members, event);
}

}  // namespace

LineDecoder::LineDecoder() : tally_(std::make_shared<Tally>()) {}

Result<LineDecoder> LineDecoder::make(const model::LineDecoder& wanted) {
  LineDecoder decoder;
  decoder.kind_ = wanted.kind;
  decoder.is_asked_for_ = true;
  if (wanted.kind == model::LineDecoder::Kind::kRegex) {
    auto pattern = std::make_shared<re2::RE2>(wanted.pattern, re2::RE2::Quiet);
    if (!pattern->ok()) return fail(Code::kInvalid, pattern->error());
    decoder.pattern_ = std::move(pattern);
  }
  return decoder;
}

void LineDecoder::decode(std::string_view line, model::Event& event) const {
  using enum model::LineDecoder::Kind;
  ++tally_->lines;
  const std::string text = as_utf8(line);
  const bool done = kind_ == kJson     ? decode_json(text, event)
                    : kind_ == kLogfmt ? decode_logfmt(text, event)
                    : kind_ == kRegex  ? decode_regex(text, event)
                                       : true;
  if (done) ++tally_->decoded;
}

bool LineDecoder::decode_json(std::string_view line, model::Event& event) const {
  if (!line.starts_with('{')) return false;
  boost::system::error_code error;
  const json::value value = json::parse({line.data(), line.size()}, error);
  if (error || !value.is_object()) return false;
  event.set("data", model::Json{.text = std::string(line)});
  set_members(value.get_object(), event);
  return true;
}

bool LineDecoder::decode_logfmt(std::string_view line, model::Event& event) const {
  const auto members = Logfmt(line).read();
  if (members) set_object(*members, event);
  return members.has_value();
}

bool LineDecoder::decode_regex(std::string_view line, model::Event& event) const {
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(pattern_->NumberOfCapturingGroups()) + 1);
  if (!pattern_->Match({line.data(), line.size()}, 0, line.size(), re2::RE2::UNANCHORED,
                       groups.data(), static_cast<int>(groups.size()))) {
    return false;
  }
  json::object members;
  for (const auto& [index, name] : pattern_->CapturingGroupNames()) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(index)];
    members[name] =
        group.data() == nullptr ? json::value(nullptr) : value_of({group.data(), group.size()});
  }
  set_object(members, event);
  return true;
}

std::string LineDecoder::doubt_text() const {
  const std::uint64_t lines = tally_->lines;
  if (!is_asked_for_ || lines == 0 || tally_->decoded > 0) return {};
  const std::string_view form = kind_ == model::LineDecoder::Kind::kJson ? "is an object of JSON"
                                : kind_ == model::LineDecoder::Kind::kLogfmt ? "is logfmt"
                                                                             : "fits its pattern";
  return fmt::format("none of {} line{} {}", lines, lines == 1 ? "" : "s", form);
}

}  // namespace misrule::controller
