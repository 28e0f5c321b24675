#include "codecs/http/json_path.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace misrule::codecs::http {
namespace {

constexpr std::size_t kStepsMax = 64;

class PathReader {
 public:
  explicit PathReader(std::string_view text) : left_(text.substr(1)) {}

  bool done() const { return left_.empty(); }

  std::optional<JsonStep> next() {
    if (left_.starts_with(".")) return named();
    return left_.starts_with("[") ? bracketed() : std::nullopt;
  }

 private:
  std::optional<JsonStep> named() {
    left_.remove_prefix(1);
    const std::size_t end = std::min(left_.find_first_of(".["), left_.size());
    const std::string_view key = left_.substr(0, end);
    left_.remove_prefix(end);
    if (key.empty()) return std::nullopt;
    if (key == "*") return JsonStep{.kind = JsonStep::Kind::kAll};
    return JsonStep{.key = std::string(key)};
  }

  std::optional<JsonStep> bracketed() {
    left_.remove_prefix(1);
    const bool quoted = left_.starts_with('\'') || left_.starts_with('"');
    if (quoted) return quoted_key(left_.front());
    const std::size_t end = left_.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    if (inside == "*") return JsonStep{.kind = JsonStep::Kind::kAll};
    JsonStep step = {.kind = JsonStep::Kind::kIndex};
    const auto read = std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
    const bool whole = read.ec == std::errc() && read.ptr == inside.data() + inside.size();
    return whole ? std::optional(step) : std::nullopt;
  }

  std::optional<JsonStep> quoted_key(char quote) {
    left_.remove_prefix(1);
    const std::size_t end = left_.find(quote);
    if (end == std::string_view::npos || left_.substr(end + 1, 1) != "]") return std::nullopt;
    JsonStep step = {.key = std::string(left_.substr(0, end))};
    left_.remove_prefix(end + 2);
    return step;
  }

  std::string_view left_;
};

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) {
  const auto refuse = [&] {
    return fail(Code::kInvalid,
                fmt::format("\"{}\" is no place in a JSON document, such as \"$.items[0].price\"",
                            text.substr(0, 80)),
                "body");
  };
  if (!text.starts_with('$')) return refuse();
  JsonPath path;
  for (PathReader reader(text); !reader.done();) {
    auto step = reader.next();
    if (!step.has_value() || path.size() == kStepsMax) return refuse();
    path.push_back(*std::move(step));
  }
  return path;
}

}  // namespace misrule::codecs::http
