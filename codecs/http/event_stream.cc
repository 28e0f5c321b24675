#include "codecs/http/event_stream.h"

#include <algorithm>
#include <span>
#include <utility>

namespace misrule::codecs::http {

std::optional<std::string> EventStream::next() {
  while (true) {
    const std::size_t line_end = pending_.find('\n', scanned_);
    if (line_end == std::string::npos) return std::nullopt;
    const std::size_t line_bytes = line_end - scanned_;
    const bool empty = line_bytes == 0 || (line_bytes == 1 && pending_[scanned_] == '\r');
    scanned_ = line_end + 1;
    if (!empty) continue;
    std::string event = pending_.substr(0, scanned_);
    pending_.erase(0, std::exchange(scanned_, 0));
    return event;
  }
}

std::string EventStream::take_rest() {
  scanned_ = 0;
  return std::exchange(pending_, {});
}

std::vector<ByteView> data_lines(ByteView event) {
  std::vector<ByteView> lines;
  while (!event.empty()) {
    const std::size_t end = std::min(event.find('\n'), event.size());
    ByteView line = event.substr(0, end);
    event.remove_prefix(std::min(end + 1, event.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line != "data" && !line.starts_with("data:")) continue;
    line.remove_prefix(std::min<std::size_t>(5, line.size()));
    if (line.starts_with(' ')) line.remove_prefix(1);
    lines.push_back(line);
  }
  return lines;
}

std::optional<std::string> event_data(ByteView event) {
  const std::vector<ByteView> lines = data_lines(event);
  if (lines.empty()) return std::nullopt;
  std::string data(lines.front());
  for (const ByteView line : std::span(lines).subspan(1)) {
    data.push_back('\n');
    data += line;
  }
  return data;
}

}  // namespace misrule::codecs::http
