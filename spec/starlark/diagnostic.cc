// Positions, and the texts of diagnostics.

#include "spec/starlark/diagnostic.h"

#include <algorithm>

namespace misrule::star {

SourceFile::SourceFile(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const bool lone_cr = text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n');
    if (text_[i] == '\n' || lone_cr) line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

Position SourceFile::position(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<std::uint32_t>(after - line_starts_.begin());
  std::uint32_t column = 1;
  for (std::uint32_t i = line_starts_[line - 1]; i < offset; ++i) {
    if ((static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U) ++column;
  }
  return {.path = path_, .line = line, .column = column};
}

std::string_view SourceFile::line(std::uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  const std::string_view all = text_;
  const std::uint32_t start = line_starts_[number - 1];
  const auto end = number < line_starts_.size() ? line_starts_[number] : all.size();
  std::string_view line = all.substr(start, end - start);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

Position Span::position() const { return file != nullptr ? file->position(lo) : Position{}; }

std::string_view Span::text() const {
  if (file == nullptr) return {};
  return std::string_view(file->text()).substr(lo, hi - lo);
}

EvalError::EvalError(Diagnostic diagnostic)
    : diagnostic_(std::make_shared<Diagnostic>(std::move(diagnostic))) {}

}  // namespace misrule::star
