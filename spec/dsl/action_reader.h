#pragma once

// What all functions that make an action have in common: the arguments they share, how these are
// checked, and the draft that comes of them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/dsl/arguments.h"
#include "spec/dsl/rule_value.h"

namespace misrule::dsl {

/// Everything that some action takes; each takes a part of it.
struct ActionArguments {
  std::string errno_name = {};
  DurationText duration = {};
  std::optional<std::string> path = {};
  std::optional<star::Value> query = {};
  TrafficValues traffic = {};
  std::optional<std::string> fd_kind = {};
  std::optional<std::string> established = {};
  std::optional<std::string> side = {};
  std::optional<std::string> mode = {};
  std::optional<std::string> message = {};
  std::optional<std::string> code = {};
  std::optional<std::int64_t> status = {};
  std::optional<std::string> body = {};
  std::optional<star::Value> to = {};
  std::optional<std::string> label = {};
  bool may_stay_unfired = false;
  std::optional<star::Value> source = {};
  std::optional<std::int64_t> times = {};
  std::optional<std::int64_t> nth = {};
  std::optional<std::int64_t> after = {};
  std::optional<std::int64_t> every = {};
  std::optional<double> probability = {};
  std::optional<std::int64_t> after_rows = {};
  std::optional<std::string> per = {};
  std::optional<star::Value> window = {};
  std::optional<DurationText> jitter = {};
  std::optional<std::string> distribution = {};
};

std::uint64_t microseconds_of(const DurationText& text);

template <class T>
star::Param keyword(std::string_view name, T& out) {
  return star::optional(name, out).by_keyword();
}

/// `own` and what every action takes: when it fires, for whom, and what it is called.
std::vector<star::Param> with_common(std::vector<star::Param> own, ActionArguments& given);
/// That, and what narrows an action on traffic.
std::vector<star::Param> with_traffic(std::vector<star::Param> own, ActionArguments& given);

class ActionReader {
 public:
  explicit ActionReader(const star::Args& args) : args_(args) {}

  RuleDraft read(ActionVerb verb, const ActionArguments& given);
  std::uint64_t count(std::string_view keyword, std::int64_t value, std::int64_t least) const;
  [[noreturn]] void fail(std::string_view keyword, const std::string& message,
                         std::string help = {}) const {
    args_.fail_at(span_of(keyword), star::code::kValue, message, std::move(help));
  }
  std::string one_of(std::string_view keyword, const std::string& value,
                     const std::vector<std::string>& known) const;

 private:
  star::Span span_of(std::string_view keyword) const {
    const auto index = args_.find_keyword(keyword);
    return index ? args_.keyword_value_span(*index) : args_.call_span();
  }
  void read_window(const ActionArguments& given, model::Trigger& trigger) const;
  void read_traffic(const ActionArguments& given, RuleDraft& draft) const;
  void read_trigger(const ActionArguments& given, model::Rule& rule) const;
  void read_common(const ActionArguments& given, model::Rule& rule) const;

  const star::Args& args_;
};

}  // namespace misrule::dsl
