#include "proxy/rules/near_misses.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/closeness.h"
#include "proxy/rules/words.h"

namespace misrule::rules {
namespace {

constexpr std::size_t kTextShownMax = 72;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The text with "..." for each number and each quoted literal: what differs between two requests to
// one route, or two statements of one place in a program.
std::string without_values(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (is_digit(text[i])) {
      while (end < text.size() && is_digit(text[end])) ++end;
      out += "...";
    } else if (text[i] == '\'') {
      end = std::min(text.find('\'', i + 1), text.size() - 1) + 1;
      out += "...";
    } else {
      out.push_back(text[i]);
    }
    i = end;
  }
  return out;
}

std::string shown(const Sightings::Entry& entry, model::Protocol protocol) {
  if (entry.subject.empty()) return entry.operation;
  if (protocol == model::Protocol::kPostgres) return entry.subject;
  return entry.operation + " " + entry.subject;
}

std::string wrong_source(const CompiledRule& rule, std::string_view consumer) {
  if (rule.source.empty()) {
    return " matched, but it was the test's own step: those are touched only with source=\"test\"";
  }
  return fmt::format(" matched, but it came from {}; the rule has source=\"{}\"", consumer,
                     rule.source);
}

std::string detail_words(const CompiledRule& rule) {
  std::vector<std::string> words;
  for (const DetailMatch& match : rule.details) words.push_back(match.keyword());
  return fmt::format("{}", fmt::join(words, " or "));
}

/// What is too long is not compared.
std::string_view bound_of_details(const CompiledRule& rule) {
  const bool has_params = std::ranges::any_of(rule.details, [](const DetailMatch& match) {
    return match.what == codecs::Detail::kParameter;
  });
  return has_params ? " (values of more than 1 MiB are not looked into)" : "";
}

void look_at(const CompiledRule& rule, const Sightings& sightings, const Sightings::Entry& entry,
             MissCounts& misses) {
  const bool wanted = rule.wants(entry.operation, entry.subject);
  const bool touches = in_force(rule.source, sightings.consumer());
  const std::string text = shown(entry, rule.protocol);
  switch (entry.kind) {
    case Sightings::Kind::kUnit:
      if (!touches && wanted) {
        misses.add(kWouldHaveActed, text, wrong_source(rule, sightings.consumer()), entry.count);
      } else if (touches && !wanted) {
        misses.add(nearness(rule, entry.operation, entry.subject), text, {}, entry.count);
      }
      return;
    case Sightings::Kind::kFailedTransaction:
      if (!touches || !wanted) return;
      misses.add(kWouldHaveActed, text,
                 " in a transaction that had failed already: the server refuses it by itself",
                 entry.count);
      return;
    case Sightings::Kind::kRollback:
      if (!touches || !wanted) return;
      misses.add(kWouldHaveActed, text, ": a server does not refuse to roll back", entry.count);
      return;
    case Sightings::Kind::kNeverSo:
      if (!touches || !wanted) return;
      misses.add(kWouldHaveActed, text, ": a server does not answer it so", entry.count);
      return;
    case Sightings::Kind::kInTransaction:
      if (!touches || !wanted) return;
      misses.add(kWouldHaveActed, text,
                 " in a transaction: a success that is told as a failure would leave the client "
                 "with another transaction than the server's",
                 entry.count);
      return;
    case Sightings::Kind::kOtherSession:
      if (!touches || !wanted) return;
      misses.add(kWouldHaveActed, text,
                 " of another session: user=, database=, application_name= or in_transaction= "
                 "says otherwise",
                 entry.count);
      return;
    case Sightings::Kind::kOtherDetail:
      if (!touches || !wanted || rule.details.empty()) return;
      misses.add(kWouldHaveActed, text,
                 fmt::format(": {} says otherwise{}", detail_words(rule), bound_of_details(rule)),
                 entry.count);
      return;
    case Sightings::Kind::kOutsideWindow:
      if (!touches || !wanted) return;
      misses.add(kWouldHaveActed, text, ", outside of window=", entry.count);
      return;
    case Sightings::Kind::kOpaque:
      if (!touches) return;
      misses.add(
          kWouldHaveActed, "a connection",
          fmt::format(" that could not be decoded ({}): rules cannot see into it", entry.subject),
          entry.count);
      return;
  }
}

void look_at_all(const CompiledRule& rule, const Sightings& sightings,
                 const std::vector<Sightings::Entry>& entries, MissCounts& misses) {
  if (rule.state->counters->fired.load(std::memory_order_relaxed) != 0) return;
  for (const Sightings::Entry& entry : entries) look_at(rule, sightings, entry, misses);
}

}  // namespace

// The subject counts for more than the operation: POST /payments, not GET /, is next to
// GET /payments.
Nearness nearness(const CompiledRule& rule, std::string_view operation, std::string_view subject) {
  const bool whole = !rule.glob.has_value() || rule.glob->matches(subject);
  const unsigned shared = whole ? kClosest : closeness(rule.glob->pattern(), subject);
  const bool operates = rule.method.empty() || equal_without_case(rule.method, operation);
  return Nearness{2 * shared + (operates ? 1 : 0)};
}

bool MissCounts::make_room(Nearness near) {
  if (groups_.size() < kGroupsMax) return true;
  const auto farthest = std::ranges::min_element(groups_, {}, [](const auto& entry) {
    return std::pair(entry.second.near, entry.second.count);
  });
  if (near <= farthest->second.near) return false;
  groups_.erase(farthest);
  return true;
}

void MissCounts::add(Nearness near, std::string_view text, std::string_view reason,
                     std::uint64_t count) {
  const std::string alike = without_values(text);
  std::string key = fmt::format("{}\n{}", alike, reason);
  if (!groups_.contains(key) && !make_room(near)) return;
  Group& group = groups_[std::move(key)];
  if (group.count == 0) {
    group = {.near = near, .text = std::string(text), .reason = std::string(reason)};
  } else if (group.text != text) {
    group.text = alike;
    group.near = std::max(group.near, near);
  }
  group.count += count;
}

void MissCounts::add_all(const MissCounts& others) {
  for (const auto& [key, group] : others.groups_) {
    add(group.near, group.text, group.reason, group.count);
  }
}

std::vector<std::string> MissCounts::nearest(std::size_t count_max) const {
  std::vector<const Group*> order;
  order.reserve(groups_.size());
  for (const auto& [key, group] : groups_) order.push_back(&group);
  std::ranges::sort(order, [](const Group* a, const Group* b) {
    return std::tuple(b->near, b->count, std::string_view(a->text)) <
           std::tuple(a->near, a->count, std::string_view(b->text));
  });
  if (order.size() > count_max) order.resize(count_max);
  std::vector<std::string> lines;
  lines.reserve(order.size());
  for (const Group* group : order) {
    lines.push_back(fmt::format("{}x {}{}", group->count, shortened(group->text, kTextShownMax),
                                group->reason));
  }
  return lines;
}

std::vector<RuleSightings> look_through(const CompiledSet& set) {
  std::vector<RuleSightings> found(set.rules.size());
  const std::scoped_lock lock(set.mutex);
  for (const auto& [key, target] : set.targets) {
    for (const auto& [consumer, sightings] : target.sightings) {
      const std::vector<Sightings::Entry> entries = sightings->entries();
      for (const RuleIndex index : target.rules) {
        const CompiledRule& rule = set.rules[index];
        if (in_force(rule.source, consumer)) found[index].considered += sightings->units();
        look_at_all(rule, *sightings, entries, found[index].misses);
      }
    }
  }
  return found;
}

std::string held_back_by_trigger(const RuleState& rule) {
  const std::uint64_t matched = rule.counters->matched.load(std::memory_order_relaxed);
  const std::uint64_t fired = rule.counters->fired.load(std::memory_order_relaxed);
  if (matched == 0 || fired != 0) return {};
  if (rule.counters->outranked.load(std::memory_order_relaxed) != 0) {
    return fmt::format("matched {}x, but an earlier rule acted in its place", matched);
  }
  const Trigger& trigger = rule.trigger;
  if (trigger.nth.has_value() && matched < *trigger.nth) {
    return fmt::format("matched {}x, but nth={} was not reached", matched, *trigger.nth);
  }
  if (matched <= trigger.after) {
    return fmt::format("matched {}x, and after={} lets those pass", matched, trigger.after);
  }
  if (trigger.probability.has_value()) {
    return fmt::format("matched {}x, but probability={} never let it through", matched,
                       *trigger.probability);
  }
  return {};
}

}  // namespace misrule::rules
