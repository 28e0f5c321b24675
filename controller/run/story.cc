#include "controller/run/story.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "spec/model/causality.h"

namespace misrule::controller {
namespace {

bool is_touched(const model::Event& event) {
  return (event.type == "proxy" || event.type == "syscall") && event.find("rule") != nullptr &&
         !model::field_text(*event.find("rule")).empty();
}

bool is_step(const model::Event& event) {
  return event.type == "step_send" || event.type == "step_recv";
}

/// A service went down or came back.
bool is_turning_point(const model::Event& event) {
  const model::Field* action = event.find("action");
  if (event.type != "lifecycle" || action == nullptr) return false;
  const std::string text = model::field_text(*action);
  return text == "exited" || text == "restarting" || text == "recovering" || text == "cut" ||
         text == "worker_lost" || text == "deadline";
}

/// Chosen positions in the events, up to the limit.
class Choice {
 public:
  explicit Choice(const std::vector<EventPtr>& events) : events_(events) {}

  bool full() const { return chosen_.size() >= kStoryEventsMax; }
  void add(std::size_t at) {
    if (!full() && at < events_.size()) chosen_.insert(at);
  }
  /// The events that findings name ("event 12"), and of each what it comes from.
  void add_named(const std::vector<model::Finding>& findings);
  /// The first and the last of those that `wanted` names: the beginning and the end of a fault's
  /// work tell more than its middle.
  void add_ends(bool (*wanted)(const model::Event&), std::size_t at_most);
  /// The step under way at each chosen event: its request and its reply.
  void add_steps_around();
  /// What stood beside the chosen ones, nearest first.
  void add_neighbours();
  std::vector<std::uint64_t> numbers() const;

 private:
  /// Nearest first, as far as one event may take the story for itself.
  void add_causes(const model::CausalPast& past, const model::Event& event);

  const std::vector<EventPtr>& events_;
  std::set<std::size_t> chosen_ = {};
};

// Of a finding that names many the first ones tell; of causes the nearest.
constexpr std::size_t kNamedMax = 6;
constexpr std::size_t kCausesMax = 3;

void append_named(std::string_view text, std::vector<std::uint64_t>& numbers) {
  constexpr std::string_view kWord = "event ";
  for (std::size_t at = 0; (at = text.find(kWord, at)) != text.npos;) {
    at += kWord.size();
    std::uint64_t number = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), number);
    const bool is_new = std::ranges::find(numbers, number) == numbers.end();
    if (number > 0 && is_new && numbers.size() < kNamedMax) numbers.push_back(number);
  }
}

void Choice::add_causes(const model::CausalPast& past, const model::Event& event) {
  for (const model::Event* cause : past.causes_of(event, kCausesMax)) {
    const auto at =
        std::ranges::find(events_, cause, [](const EventPtr& one) { return one.get(); });
    add(static_cast<std::size_t>(at - events_.begin()));
  }
}

void Choice::add_named(const std::vector<model::Finding>& findings) {
  std::vector<std::uint64_t> numbers;
  for (const model::Finding& finding : findings) {
    append_named(finding.message, numbers);
    for (const std::string& line : finding.detail) append_named(line, numbers);
  }
  if (numbers.empty()) return;
  std::vector<std::size_t> named;
  for (std::size_t at = 0; at < events_.size(); ++at) {
    const bool is_named = std::ranges::find(numbers, events_[at]->number) != numbers.end();
    if (is_named) named.push_back(at);
  }
  for (const std::size_t at : named) add(at);
  const model::CausalPast past(events_);
  for (const std::size_t at : named) add_causes(past, *events_[at]);
}

void Choice::add_ends(bool (*wanted)(const model::Event&), std::size_t at_most) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < events_.size(); ++at) {
    if (wanted(*events_[at])) found.push_back(at);
  }
  const std::size_t first = std::min(found.size(), at_most / 2);
  for (std::size_t i = 0; i < first; ++i) add(found[i]);
  const std::size_t rest = std::min(found.size() - first, at_most - first);
  for (std::size_t i = 0; i < rest; ++i) add(found[found.size() - 1 - i]);
}

void Choice::add_steps_around() {
  const std::set<std::size_t> centres = chosen_;
  for (const std::size_t centre : centres) {
    std::size_t before = centre;
    while (before > 0 && events_[before]->type != "step_send") --before;
    if (events_[before]->type == "step_send") add(before);
    std::size_t after = centre;
    while (after < events_.size() && events_[after]->type != "step_recv") ++after;
    add(after);
  }
}

void Choice::add_neighbours() {
  const std::set<std::size_t> centres = chosen_;
  for (std::size_t distance = 1; distance <= 3; ++distance) {
    for (const std::size_t centre : centres) {
      const std::size_t after = centre + distance;
      if (after >= events_.size()) continue;
      const model::Event& event = *events_[after];
      const bool tells = event.type == "proxy" || event.type == "stdout";
      if (tells && !model::is_injected(event)) add(after);
    }
  }
}

std::vector<std::uint64_t> Choice::numbers() const {
  std::vector<std::uint64_t> out;
  out.reserve(chosen_.size());
  for (const std::size_t at : chosen_) out.push_back(events_[at]->number);
  return out;
}

}  // namespace

std::vector<std::uint64_t> select_story(const std::vector<EventPtr>& events,
                                        const std::vector<model::Finding>& findings) {
  Choice choice(events);
  choice.add_named(findings);
  choice.add_ends(is_touched, 4);
  choice.add_ends(is_turning_point, 3);
  choice.add_steps_around();
  choice.add_ends(is_step, 4);
  choice.add_neighbours();
  choice.add_ends(is_step, kStoryEventsMax);
  return choice.numbers();
}

}  // namespace misrule::controller
