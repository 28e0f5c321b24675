#include "controller/observe/sse.h"

#include "controller/observe/line_splitter.h"

namespace misrule::controller {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kIdBytesMax = 4096;

}  // namespace

void SseParser::feed(std::string_view bytes, const OnEvent& on_event) {
  for (const char c : bytes) {
    const bool belongs_to_before = c == '\n' && after_return_;
    after_return_ = c == '\r';
    if (belongs_to_before) continue;
    if (c == '\n' || c == '\r') {
      take_line(on_event);
      line_.clear();
      continue;
    }
    // What is beyond the bound is left out, here and in the data.
    if (line_.size() < kLineBytesMax) line_ += c;
  }
}

void SseParser::restart() {
  line_.clear();
  after_return_ = false;
  is_first_line_ = true;
  name_.clear();
  data_.reset();
}

void SseParser::take_line(const OnEvent& on_event) {
  std::string_view line = line_;
  if (is_first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  is_first_line_ = false;
  if (line.empty()) {
    dispatch(on_event);
    return;
  }
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    name_ = value;
  } else if (field == "data") {
    if (!data_) {
      data_ = value;
    } else if (data_->size() + value.size() < kLineBytesMax) {
      data_->append("\n").append(value);
    }
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    id_ = value.substr(0, kIdBytesMax);
  }
}

void SseParser::dispatch(const OnEvent& on_event) {
  if (data_) on_event({.name = name_.empty() ? "message" : name_, .data = *data_, .id = id_});
  name_.clear();
  data_.reset();
}

}  // namespace misrule::controller
