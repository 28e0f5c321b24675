#pragma once

// Which of many globs may match this text, without trying each of them?
//
// A glob matches only texts that contain its literal pieces. Of each pattern the piece that fewest
// others share is its anchor; an Aho-Corasick automaton finds every anchor that occurs in a text in
// one pass over it. What is found is a superset: the caller tries those few globs.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace misrule::rules {

/// The literal runs of a glob, escapes undone: "INSERT * \*" gives "INSERT ", " *".
std::vector<std::string> glob_literals(std::string_view pattern);

/// Built in two steps: add() all, then seal(); from then on immutable and thread-safe.
class PatternIndex {
 public:
  using Value = std::uint32_t;

  void add(std::string_view pattern, Value value);
  void seal();

  /// Appends the values of all patterns that may match `text`, whatever its letters' case; no value
  /// twice, in no particular order.
  void append_candidates(std::string_view text, std::vector<Value>& out) const;

  bool empty() const { return pending_.empty() && always_.empty() && ends_.empty(); }

 private:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;

  struct Pending {
    std::vector<std::string> literals;
    Value value;
  };
  struct Edge {
    std::uint64_t key = UINT64_MAX;  // Parent node and byte.
    Node child = kNone;
  };
  struct State {
    Node fail = kRoot;
    Node next_end = kNone;           // The nearest state on the fail chain where an anchor ends.
    std::uint32_t end = UINT32_MAX;  // Index into ends_.
  };

  std::vector<std::string> choose_anchors() const;
  void build_trie(const std::vector<std::string>& anchors);
  void link_failures();
  Node find_child(Node node, char byte) const;
  void add_edge(Node node, char byte, Node child);
  void grow_edges();

  std::vector<Pending> pending_;
  std::vector<Value> always_;  // Patterns without any literal.
  std::vector<std::vector<Value>> ends_;
  std::vector<State> states_;
  std::vector<Edge> edges_;  // Open addressing, a power of two.
  std::size_t edge_count_ = 0;
  std::array<bool, 256> begins_ = {};  // The bytes that an anchor begins with.
};

}  // namespace misrule::rules
