#include "controller/report/page_events.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/json_text.h"
#include "controller/events/event_log.h"
#include "controller/events/utf8.h"
#include "controller/report/sentence.h"
#include "controller/report/text.h"

namespace misrule::controller {

namespace {

constexpr std::size_t kSentenceColumns = 300;

/// 0 if the line does not begin as events do.
std::uint64_t number_of(std::string_view line) {
  constexpr std::string_view kBegin = "{\"number\":";
  std::uint64_t number = 0;
  if (!line.starts_with(kBegin)) return 0;
  line.remove_prefix(kBegin.size());
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number;
}

/// Lines of the log of which the middle is thinned out once there are too many of them.
class KeptLines {
 public:
  explicit KeptLines(const PageEventsWanted& wanted)
      : story_(wanted.story.begin(), wanted.story.end()),
        max_(wanted.events_max),
        head_max_(wanted.events_max / 4),
        marked_max_(wanted.events_max / 2) {}

  void add(std::string line) {
    ++total_;
    if (kept_.size() < head_max_) {
      kept_.push_back(std::move(line));
      return;
    }
    tail_.push_back(std::move(line));
    while (kept_.size() + tail_.size() > max_ && !tail_.empty()) {
      if (is_wanted(tail_.front())) kept_.push_back(std::move(tail_.front()));
      tail_.pop_front();
    }
  }

  std::vector<std::string> take() && {
    std::ranges::move(tail_, std::back_inserter(kept_));
    return std::move(kept_);
  }
  std::size_t total() const { return total_; }

 private:
  bool is_wanted(const std::string& line) const {
    if (story_.contains(number_of(line))) return true;
    return kept_.size() < marked_max_ && line.contains("\"rule\":");
  }

  std::set<std::uint64_t> story_;
  std::size_t max_;
  std::size_t head_max_;
  std::size_t marked_max_;  ///< Of the head and what rules did; the story is kept beyond it.
  std::size_t total_ = 0;
  std::vector<std::string> kept_ = {};
  std::deque<std::string> tail_ = {};
};

void shorten(model::Event& event, std::size_t max) {
  for (auto& [name, field] : event.fields) {
    if (auto* text = std::get_if<std::string>(&field); text != nullptr && text->size() > max) {
      field = fmt::format("{}… ({} bytes)", as_utf8(text->substr(0, max)), text->size());
    } else if (const auto* json = std::get_if<model::Json>(&field);
               json != nullptr && json->text.size() > max) {
      field = fmt::format("({} bytes, left out of this page)", json->text.size());
    }
  }
}

std::string as_json(std::string_view text) {
  return json_quoted(as_utf8(cut_to(text, kSentenceColumns)));
}

/// Empty for a line that is no event: the torn one that a killed worker leaves.
std::string entry_of(const std::string& line, std::size_t field_bytes_max) {
  auto event = event_from_json(line);
  if (!event) return "";
  const Sentence said = sentence_of(*event);
  std::string json = line;
  if (line.size() > field_bytes_max) {
    shorten(*event, field_bytes_max);
    json = event_to_json(*event);
  }
  while (json.ends_with('\n')) json.pop_back();
  return fmt::format("[{},{},{},{}]", as_utf8(json), as_json(said.who), as_json(said.what),
                     as_json(said.rule));
}

}  // namespace

PageEvents events_for_page(const PageEventsWanted& wanted) {
  PageEvents page;
  if (wanted.log.empty()) return page;
  std::ifstream file(wanted.log);
  if (!file) {
    page.missing = fmt::format("The event log {} cannot be read.", wanted.log);
    return page;
  }
  KeptLines lines(wanted);
  for (std::string line; std::getline(file, line);) lines.add(std::move(line));
  const std::size_t total = lines.total();
  const std::vector<std::string> kept = std::move(lines).take();
  page.left_out = total - kept.size();
  page.json = "[";
  for (const std::string& line : kept) {
    const std::string entry = entry_of(line, wanted.field_bytes_max);
    if (entry.empty()) continue;
    if (page.json.size() > 1) page.json += ",\n";
    page.json += entry;
  }
  page.json += "]";
  return page;
}

}  // namespace misrule::controller
