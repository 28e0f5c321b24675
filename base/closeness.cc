#include "base/closeness.h"

#include <algorithm>
#include <string>
#include <vector>

namespace misrule {
namespace {

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// What stands between the wildcards. The first piece may be empty: nothing in front of one.
std::vector<std::string> literal_pieces(std::string_view glob) {
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < glob.size(); ++i) {
    if (glob[i] == '*' || glob[i] == '?') {
      pieces.emplace_back();
      continue;
    }
    if (glob[i] == '\\' && i + 1 < glob.size()) ++i;
    pieces.back().push_back(fold(glob[i]));
  }
  return pieces;
}

std::size_t shared_front(std::string_view piece, std::string_view text) {
  std::size_t shared = 0;
  while (shared < piece.size() && shared < text.size() && piece[shared] == fold(text[shared])) {
    ++shared;
  }
  return shared;
}

struct Found {
  std::size_t shared = 0;  ///< Characters of the piece.
  std::size_t end = 0;     ///< Behind them in the text.
};

Found find_best(std::string_view piece, std::string_view text) {
  Found best;
  for (std::size_t at = 0; at < text.size() && best.shared < piece.size(); ++at) {
    const std::size_t shared = shared_front(piece, text.substr(at));
    if (shared > best.shared) best = {.shared = shared, .end = at + shared};
  }
  return best;
}

}  // namespace

unsigned closeness(std::string_view glob, std::string_view text) {
  const std::vector<std::string> pieces = literal_pieces(glob);
  std::size_t wanted = 0;
  for (const std::string& piece : pieces) wanted += piece.size();
  if (wanted == 0) return 0;
  // What stands in front of the first wildcard has its place at the front of the text.
  std::size_t shared = shared_front(pieces.front(), text);
  text.remove_prefix(shared);
  for (auto piece = pieces.begin() + 1; piece != pieces.end(); ++piece) {
    const Found found = find_best(*piece, text);
    shared += found.shared;
    text.remove_prefix(found.end);
  }
  return static_cast<unsigned>(shared * kClosest / wanted);
}

}  // namespace misrule
