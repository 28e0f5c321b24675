#include "controller/observe/line_splitter.h"

namespace misrule::controller {

void LineSplitter::feed(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    const std::size_t room = kLineBytesMax - partial_.size();
    partial_.append(piece.substr(0, room));
    if (piece.size() >= room) {
      on_line(partial_);
      partial_.clear();
      bytes.remove_prefix(room);
      continue;
    }
    if (end == std::string_view::npos) return;
    if (partial_.ends_with('\r')) partial_.pop_back();
    on_line(partial_);
    partial_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::finish(const OnLine& on_line) {
  if (!partial_.empty()) on_line(partial_);
  partial_.clear();
}

}  // namespace misrule::controller
