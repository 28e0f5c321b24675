// fault_matrix(): each scenario under each assumption, one test per cell.

#include <algorithm>

#include "spec/dsl/assumption.h"
#include "spec/dsl/builtins.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

namespace {

constexpr std::size_t kCellsMax = 10'000;

/// The arguments of one fault_matrix(...).
class MatrixCall {
 public:
  explicit MatrixCall(const Args& args) : args_(args) { read(); }
  void declare();

 private:
  struct Place {
    std::size_t scenario = 0;
    std::size_t fault = 0;
    bool operator<(const Place& other) const {
      return std::tie(scenario, fault) < std::tie(other.scenario, other.fault);
    }
  };

  void read();
  void read_scenarios(const Value& given);
  void read_overrides(const Value& given);
  void read_exclude(const Value& given);
  Place place_of(const Value& key, std::string_view keyword) const;
  std::string name_of(Place place) const;
  void declare_cell(Place place, std::size_t matrix);
  Span span_of(std::string_view keyword) const {
    const auto index = args_.find_keyword(keyword);
    return index ? args_.keyword_value_span(*index) : args_.call_span();
  }

  const Args& args_;
  std::vector<Value> scenarios_;
  std::vector<const AssumptionValue*> faults_;
  Value default_expect_ = Value::unbound();
  Value control_ = Value::unbound();
  std::map<Place, Value> overrides_;
  std::set<Place> excluded_;
};

void MatrixCall::read() {
  Value scenarios;
  Value faults;
  std::optional<Value> expect;
  std::optional<Value> overrides;
  std::optional<Value> exclude;
  std::optional<Value> control;
  args_.unpack({star::required("scenarios", scenarios), star::required("faults", faults),
                star::optional("default_expect", expect).by_keyword(),
                star::optional("overrides", overrides).by_keyword(),
                star::optional("exclude", exclude).by_keyword(),
                star::optional("control", control).by_keyword()});
  read_scenarios(scenarios);
  faults_ = assumptions_of(args_, faults, span_of("faults"));
  if (faults_.empty()) {
    args_.fail_at(span_of("faults"), star::code::kArgument, "faults= is empty: nothing would run");
  }
  if (scenarios_.size() * faults_.size() > kCellsMax) {
    args_.fail(star::code::kValue,
               fmt::format("{} cells, at most {}", scenarios_.size() * faults_.size(), kCellsMax));
  }
  if (expect) {
    default_expect_ = *expect;
    check_judging(args_, *expect, "default_expect=", span_of("default_expect"));
  }
  if (control) {
    control_ = *control;
    check_judging(args_, *control, "control=", span_of("control"));
  }
  if (overrides) read_overrides(*overrides);
  if (exclude) read_exclude(*exclude);
}

void MatrixCall::read_scenarios(const Value& given) {
  const Span at = span_of("scenarios");
  if (given.as_list() == nullptr && given.as_tuple() == nullptr) {
    args_.fail_at(at, star::code::kArgument,
                  fmt::format("scenarios= is a list of functions, not a {}", given.type_name()));
  }
  scenarios_ = given.elements();
  if (scenarios_.empty()) {
    args_.fail_at(at, star::code::kArgument, "scenarios= is empty: nothing would run");
  }
  for (const Value& scenario : scenarios_) {
    check_scenario(args_, scenario, at);
    const star::Function* written = scenario.as_function();
    if (written != nullptr && !written->is_lambda()) continue;
    args_.fail_at(at, star::code::kArgument,
                  fmt::format("scenarios= holds a {}: cells are called after the def that they run",
                              written == nullptr ? scenario.type_name() : "lambda"));
  }
}

/// (scenario, fault) of this matrix; anything else would be about no cell, silently.
MatrixCall::Place MatrixCall::place_of(const Value& key, std::string_view keyword) const {
  const Span at = span_of(keyword);
  const std::vector<Value> pair = key.as_tuple() == nullptr ? std::vector<Value>{} : key.elements();
  if (pair.size() != 2) {
    args_.fail_at(at, star::code::kArgument,
                  fmt::format("{}= holds a {}, want (scenario, fault)", keyword, key.type_name()));
  }
  const auto scenario =
      std::ranges::find_if(scenarios_, [&](const Value& other) { return other.same_as(pair[0]); });
  if (scenario == scenarios_.end()) {
    args_.fail_at(at, star::code::kValue,
                  fmt::format("{}= speaks of {}, which is none of the scenarios", keyword,
                              scenario_name(pair[0])));
  }
  const auto* assumption = pair[1].as<AssumptionValue>();
  const auto fault = std::ranges::find(faults_, assumption);
  if (assumption == nullptr || fault == faults_.end()) {
    args_.fail_at(at, star::code::kValue,
                  fmt::format("{}= speaks of {}, which is none of the faults", keyword,
                              assumption == nullptr ? pair[1].repr() : assumption->name()),
                  "a name that is given twice means the later assumption");
  }
  return {.scenario = static_cast<std::size_t>(scenario - scenarios_.begin()),
          .fault = static_cast<std::size_t>(fault - faults_.begin())};
}

void MatrixCall::read_overrides(const Value& given) {
  const star::Dict* dict = given.as_dict();
  if (dict == nullptr) {
    args_.fail_at(span_of("overrides"), star::code::kArgument,
                  fmt::format("overrides= is a dict of functions by (scenario, fault), not a {}",
                              given.type_name()));
  }
  std::size_t cursor = 0;
  while (const auto* entry = dict->table().next(cursor)) {
    const Place place = place_of(entry->key, "overrides");
    check_judging(args_, entry->value, fmt::format("overrides= of {}", name_of(place)),
                  span_of("overrides"));
    overrides_.emplace(place, entry->value);
  }
}

void MatrixCall::read_exclude(const Value& given) {
  if (given.as_list() == nullptr && given.as_tuple() == nullptr) {
    args_.fail_at(
        span_of("exclude"), star::code::kArgument,
        fmt::format("exclude= is a list of (scenario, fault), not a {}", given.type_name()));
  }
  for (const Value& key : given.elements()) {
    const Place place = place_of(key, "exclude");
    if (overrides_.contains(place)) {
      args_.fail_at(span_of("exclude"), star::code::kValue,
                    fmt::format("{} is excluded and has an override", name_of(place)));
    }
    excluded_.insert(place);
  }
  if (excluded_.size() == scenarios_.size() * faults_.size()) {
    args_.fail_at(span_of("exclude"), star::code::kValue, "every cell is excluded");
  }
}

std::string MatrixCall::name_of(Place place) const {
  return fmt::format("test_matrix_{}_{}", scenario_name(scenarios_[place.scenario]),
                     faults_[place.fault]->name());
}

void MatrixCall::declare_cell(Place place, std::size_t matrix) {
  const Value& scenario = scenarios_[place.scenario];
  const AssumptionValue& fault = *faults_[place.fault];
  const auto own = overrides_.find(place);
  TestDeclared declared = {.test = {.name = name_of(place),
                                    .description = fault.description(),
                                    .cell = Cell{.matrix = matrix,
                                                 .scenario = scenario_name(scenario),
                                                 .fault = fault.name()}},
                           .scenario = scenario,
                           .expect = own == overrides_.end() ? default_expect_ : own->second,
                           .at = args_.call_span()};
  declared.test.control = control_of(session_of(args_), declared, control_, {&fault});
  add_test(args_, std::move(declared), {&fault});
}

void MatrixCall::declare() {
  const std::size_t matrix = ++session_of(args_).matrices;
  for (std::size_t s = 0; s < scenarios_.size(); ++s) {
    for (std::size_t f = 0; f < faults_.size(); ++f) {
      const Place place = {.scenario = s, .fault = f};
      if (!excluded_.contains(place)) declare_cell(place, matrix);
    }
  }
}

}  // namespace

Value declare_matrix(Args& args) {
  MatrixCall(args).declare();
  return Value::none();
}

}  // namespace misrule::dsl
