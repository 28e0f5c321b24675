#include "proxy/rules/pattern_index.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace misrule::rules {
namespace {

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::uint64_t edge_key(std::uint32_t node, char byte) {
  return std::uint64_t{node} << 8U | static_cast<std::uint8_t>(byte);
}

std::size_t slot_of(std::uint64_t key, std::size_t slots) {
  return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15ULL) >> 20U) & (slots - 1);
}

}  // namespace

std::vector<std::string> glob_literals(std::string_view pattern) {
  std::vector<std::string> literals;
  std::string run;
  const auto end_run = [&] {
    if (!run.empty()) literals.push_back(std::exchange(run, {}));
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*' || pattern[i] == '?') {
      end_run();
      continue;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    run.push_back(pattern[i]);
  }
  end_run();
  return literals;
}

void PatternIndex::add(std::string_view pattern, Value value) {
  std::vector<std::string> literals = glob_literals(pattern);
  if (literals.empty()) {
    always_.push_back(value);
    return;
  }
  for (std::string& literal : literals) std::ranges::transform(literal, literal.begin(), fold);
  pending_.push_back({.literals = std::move(literals), .value = value});
}

void PatternIndex::seal() {
  states_.emplace_back();
  const std::vector<std::string> anchors = choose_anchors();
  for (const std::string& anchor : anchors) {
    begins_[static_cast<std::uint8_t>(anchor.front())] = true;
  }
  build_trie(anchors);
  link_failures();
  pending_ = {};
}

// The piece that the fewest patterns share; of equals the longest, because it occurs by chance
// least.
std::vector<std::string> PatternIndex::choose_anchors() const {
  std::unordered_map<std::string_view, std::size_t> shared_by;
  for (const Pending& pattern : pending_) {
    const std::unordered_set<std::string_view> distinct(pattern.literals.begin(),
                                                        pattern.literals.end());
    for (const std::string_view literal : distinct) ++shared_by[literal];
  }
  std::vector<std::string> anchors;
  anchors.reserve(pending_.size());
  for (const Pending& pattern : pending_) {
    const auto rarer = [&](const std::string& a, const std::string& b) {
      const std::size_t of_a = shared_by.at(a);
      const std::size_t of_b = shared_by.at(b);
      return of_a != of_b ? of_a < of_b : a.size() > b.size();
    };
    anchors.push_back(*std::ranges::min_element(pattern.literals, rarer));
  }
  return anchors;
}

void PatternIndex::build_trie(const std::vector<std::string>& anchors) {
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    Node node = kRoot;
    for (const char byte : anchors[i]) {
      Node child = find_child(node, byte);
      if (child == kNone) {
        child = static_cast<Node>(states_.size());
        states_.emplace_back();
        add_edge(node, byte, child);
      }
      node = child;
    }
    State& state = states_[node];
    if (state.end == UINT32_MAX) {
      state.end = static_cast<std::uint32_t>(ends_.size());
      ends_.emplace_back();
    }
    ends_[state.end].push_back(pending_[i].value);
  }
}

// Breadth first, so that a state's fail link is known before its children ask for it.
void PatternIndex::link_failures() {
  std::vector<std::vector<std::pair<char, Node>>> children(states_.size());
  for (const Edge& edge : edges_) {
    if (edge.child == kNone) continue;
    const char byte = static_cast<char>(static_cast<std::uint8_t>(edge.key & 0xffU));
    children[static_cast<std::size_t>(edge.key >> 8U)].emplace_back(byte, edge.child);
  }
  std::vector<Node> queue = {kRoot};
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const Node node = queue[at];
    for (const auto& [byte, child] : children[node]) {
      queue.push_back(child);
      if (node == kRoot) continue;
      Node fail = states_[node].fail;
      while (fail != kRoot && find_child(fail, byte) == kNone) fail = states_[fail].fail;
      const Node found = find_child(fail, byte);
      fail = found == kNone ? kRoot : found;
      states_[child].fail = fail;
      states_[child].next_end = states_[fail].end != UINT32_MAX ? fail : states_[fail].next_end;
    }
  }
}

PatternIndex::Node PatternIndex::find_child(Node node, char byte) const {
  if (edges_.empty()) return kNone;
  const std::uint64_t key = edge_key(node, byte);
  for (std::size_t slot = slot_of(key, edges_.size());; slot = (slot + 1) & (edges_.size() - 1)) {
    if (edges_[slot].key == key) return edges_[slot].child;
    if (edges_[slot].child == kNone) return kNone;
  }
}

void PatternIndex::add_edge(Node node, char byte, Node child) {
  if (edge_count_ * 2 >= edges_.size()) grow_edges();
  const std::uint64_t key = edge_key(node, byte);
  std::size_t slot = slot_of(key, edges_.size());
  while (edges_[slot].child != kNone) slot = (slot + 1) & (edges_.size() - 1);
  edges_[slot] = {.key = key, .child = child};
  ++edge_count_;
}

void PatternIndex::grow_edges() {
  const std::vector<Edge> old = std::exchange(edges_, {});
  edges_.resize(std::max<std::size_t>(64, old.size() * 2));
  edge_count_ = 0;
  for (const Edge& edge : old) {
    if (edge.child == kNone) continue;
    const char byte = static_cast<char>(static_cast<std::uint8_t>(edge.key & 0xffU));
    add_edge(static_cast<Node>(edge.key >> 8U), byte, edge.child);
  }
}

void PatternIndex::append_candidates(std::string_view text, std::vector<Value>& out) const {
  out.insert(out.end(), always_.begin(), always_.end());
  if (ends_.empty()) return;
  std::vector<std::uint32_t> found;
  Node node = kRoot;
  for (const char raw : text) {
    const char byte = fold(raw);
    if (node == kRoot && !begins_[static_cast<std::uint8_t>(byte)]) continue;
    Node child = find_child(node, byte);
    while (child == kNone && node != kRoot) {
      node = states_[node].fail;
      child = find_child(node, byte);
    }
    node = child == kNone ? kRoot : child;
    const Node first = states_[node].end != UINT32_MAX ? node : states_[node].next_end;
    for (Node end = first; end != kNone; end = states_[end].next_end) {
      if (found.empty() || found.back() != states_[end].end) found.push_back(states_[end].end);
    }
  }
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  for (const std::uint32_t end : found) {
    out.insert(out.end(), ends_[end].begin(), ends_[end].end());
  }
}

}  // namespace misrule::rules
