#include "spec/dsl/arguments.h"

#include <algorithm>
#include <charconv>

#include "spec/dsl/session.h"

namespace misrule::dsl {
namespace {

constexpr std::pair<std::string_view, double> kUnits[] = {
    {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
constexpr double kLongestNs = 24 * 3600e9;

std::optional<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty() || text.front() == '-') return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    const double total = number * factor;
    if (!(total >= 0 && total <= kLongestNs)) return std::nullopt;
    return Duration(static_cast<Duration::rep>(total + 0.5));
  }
  return std::nullopt;
}

constexpr std::pair<std::string_view, double> kRates[] = {
    {"B/s", 1},         {"KB/s", 1e3},        {"MB/s", 1e6},         {"GB/s", 1e9},
    {"KiB/s", 1 << 10}, {"MiB/s", 1U << 20U}, {"GiB/s", 1ULL << 30U}};
constexpr double kFastest = 1e15;

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : kRates) {
    if (unit != name) continue;
    const double total = number * factor;
    if (!(total >= 1 && total <= kFastest)) return std::nullopt;
    return static_cast<std::uint64_t>(total);
  }
  return std::nullopt;
}

}  // namespace

bool convert(const star::Value& value, DurationText& out) {
  const auto text = value.as_string();
  const auto parsed = text ? parse_duration(*text) : std::nullopt;
  if (parsed) out.value = *parsed;
  return parsed.has_value();
}

bool convert(const star::Value& value, RateText& out) {
  if (const auto number = value.as_int()) {
    if (*number <= 0) return false;
    out.bytes_per_second = static_cast<std::uint64_t>(*number);
    return true;
  }
  const auto text = value.as_string();
  const auto parsed = text ? parse_rate(*text) : std::nullopt;
  if (parsed) out.bytes_per_second = *parsed;
  return parsed.has_value();
}

bool convert(const star::Value& value, StringList& out) {
  if (value.as_list() == nullptr && value.as_tuple() == nullptr) return false;
  for (const star::Value& item : value.elements()) {
    const auto text = item.as_string();
    if (!text) return false;
    out.items.emplace_back(*text);
  }
  return true;
}

bool convert(const star::Value& value, StringPairs& out) {
  const star::Dict* dict = value.as_dict();
  if (dict == nullptr) return false;
  std::size_t cursor = 0;
  while (const star::Table::Entry* entry = dict->table().next(cursor)) {
    const auto key = entry->key.as_string();
    const auto text = entry->value.as_string();
    if (!key || !text) return false;
    out.items.emplace_back(*key, *text);
  }
  return true;
}

std::string_view wanted_type(const DurationText*) { return "duration such as \"500ms\" or \"3s\""; }
std::string_view wanted_type(const RateText*) {
  return "rate such as \"512KB/s\" or \"1MiB/s\", or a number of bytes per second above 0";
}
std::string_view wanted_type(const StringList*) { return "list of strings"; }
std::string_view wanted_type(const StringPairs*) { return "dict of strings"; }

void unpack_keywords(const star::Args& args, std::initializer_list<star::Param> params) {
  std::vector<std::string> names;
  names.reserve(params.size());
  for (const star::Param& param : params) names.emplace_back(param.name);
  for (std::size_t k = 0; k < args.keywords().size(); ++k) {
    const std::string_view name = args.keyword_name(k);
    const auto param = std::ranges::find(params, name, &star::Param::name);
    if (param == params.end()) {
      args.fail_at(
          args.keyword_span(k), star::code::kArgument,
          fmt::format("unexpected keyword argument \"{}\"{}", name, did_you_mean(name, names)),
          "it takes " + listed(names));
    }
    if (!param->store(args.keyword(k), param->out)) {
      args.fail_at(args.keyword_value_span(k), star::code::kArgument,
                   fmt::format("for parameter \"{}\": got {}, want {}", name,
                               args.keyword(k).type_name(), param->wanted));
    }
  }
}

std::string shortened(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t cut = bytes_max;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  text.resize(cut);
  return text + "...";
}

}  // namespace misrule::dsl
