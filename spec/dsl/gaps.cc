#include "spec/dsl/gaps.h"

#include <fmt/format.h>

namespace misrule::dsl {
namespace {

std::string text_of(const model::Event& event, std::string_view name) {
  const model::Field* field = event.find(name);
  return field == nullptr ? std::string() : model::field_text(*field);
}

}  // namespace

std::optional<Gap> gap_of(const model::Event& event) {
  if (event.type != "lifecycle") return std::nullopt;
  const std::string action = text_of(event, "action");
  const bool is_output = action == "output_cut";
  if (!is_output && action != "gap") return std::nullopt;
  Gap gap = {.service = event.service, .type = text_of(event, "about")};
  if (gap.type.empty()) gap.type = "stdout";
  gap.why = is_output && gap.type == "stdout"
                ? fmt::format("not all that {} printed is recorded: ", event.service)
                : fmt::format("not all {} events of {} are recorded: ", gap.type, event.service);
  gap.why += text_of(event, "detail");
  return gap;
}

bool is_about(const Gap& gap, std::string_view type) {
  // A service's two streams share one bound.
  return gap.type == type || (gap.type == "stdout" && type == "stderr");
}

}  // namespace misrule::dsl
