#include "controller/report/matrix_table.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "controller/report/failure.h"

namespace misrule::controller {

namespace {

constexpr std::size_t kNarrowColumns = 14;
constexpr std::string_view kGap = "  ";

struct TableLine {
  std::string text = {};
  std::size_t head = 0;  ///< Which line names its columns.
  bool running = false;
};

class Table {
 public:
  Table(const MatrixCells& cells, std::size_t columns, const Paint& paint)
      : cells_(cells), columns_(columns), paint_(paint) {
    narrow_ = name_columns() + columns_of(0, faults_.size()) > columns_;
  }
  std::vector<TableLine> lines() const;

 private:
  const LiveCell* find(const std::string& scenario, const std::string& fault) const {
    return cells_.find(scenario, fault);
  }
  std::string shown(const std::string& name) const {
    return narrow_ ? cut_to(name, kNarrowColumns) : name;
  }
  std::string mark(const LiveCell* cell, const Paint& paint) const;
  /// Without its colour.
  std::string words_of(const LiveCell* cell) const;
  std::size_t columns_of(const std::string& fault) const;
  std::size_t columns_of(std::size_t begin, std::size_t end) const;
  std::size_t name_columns() const;
  /// The faults from `begin` that stand side by side; one at least.
  std::size_t fitting(std::size_t begin) const;
  std::string line_of(const std::string& scenario, std::size_t begin, std::size_t end) const;
  std::string head_of(std::size_t begin, std::size_t end) const;
  bool runs(const std::string& scenario, std::size_t begin, std::size_t end) const;

  const MatrixCells& cells_;
  std::size_t columns_;
  const Paint& paint_;
  const std::vector<std::string>& scenarios_ = cells_.scenarios();
  const std::vector<std::string>& faults_ = cells_.faults();
  bool narrow_ = false;
};

std::string Table::mark(const LiveCell* cell, const Paint& paint) const {
  if (cell == nullptr) return paint.dim("·");
  if (cell->outcome) return mark_of(*cell->outcome, paint);
  return cell->running ? paint.bold("▸") : paint.dim("…");
}

std::string Table::words_of(const LiveCell* cell) const {
  std::string sign = mark(cell, Paint(false));
  if (narrow_ || cell == nullptr) return sign;
  if (cell->outcome) return fmt::format("{} {}", sign, model::outcome_name(*cell->outcome));
  return cell->running ? sign + " running" : sign;
}

std::size_t Table::columns_of(const std::string& fault) const {
  std::size_t wide = text_columns(shown(fault));
  for (const std::string& scenario : scenarios_) {
    wide = std::max(wide, text_columns(words_of(find(scenario, fault))));
  }
  return wide;
}

std::size_t Table::columns_of(std::size_t begin, std::size_t end) const {
  std::size_t wide = 0;
  for (; begin < end; ++begin) wide += kGap.size() + columns_of(faults_[begin]);
  return wide;
}

/// The gap before it included.
std::size_t Table::name_columns() const {
  std::size_t wide = 0;
  for (const std::string& scenario : scenarios_) {
    wide = std::max(wide, text_columns(shown(scenario)));
  }
  return kGap.size() + wide;
}

std::size_t Table::fitting(std::size_t begin) const {
  std::size_t end = begin + 1;
  while (end < faults_.size() && name_columns() + columns_of(begin, end + 1) <= columns_) ++end;
  return end;
}

std::string without_end_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Table::head_of(std::size_t begin, std::size_t end) const {
  std::string head = padded("", name_columns());
  for (; begin < end; ++begin) {
    head += std::string(kGap) + padded(shown(faults_[begin]), columns_of(faults_[begin]));
  }
  return paint_.bold(without_end_blanks(std::move(head)));
}

std::string Table::line_of(const std::string& scenario, std::size_t begin, std::size_t end) const {
  std::string line = padded(std::string(kGap) + shown(scenario), name_columns());
  for (; begin < end; ++begin) {
    const LiveCell* cell = find(scenario, faults_[begin]);
    const std::string words = padded(words_of(cell), columns_of(faults_[begin]));
    line += std::string(kGap) + mark(cell, paint_) + words.substr(mark(cell, Paint(false)).size());
  }
  return without_end_blanks(std::move(line));
}

bool Table::runs(const std::string& scenario, std::size_t begin, std::size_t end) const {
  for (; begin < end; ++begin) {
    const LiveCell* cell = find(scenario, faults_[begin]);
    if (cell != nullptr && cell->running) return true;
  }
  return false;
}

std::vector<TableLine> Table::lines() const {
  std::vector<TableLine> lines;
  for (std::size_t begin = 0; begin < faults_.size();) {
    const std::size_t end = fitting(begin);
    const std::size_t head = lines.size();
    lines.push_back({.text = head_of(begin, end), .head = head});
    for (const std::string& scenario : scenarios_) {
      lines.push_back({.text = line_of(scenario, begin, end),
                       .head = head,
                       .running = runs(scenario, begin, end)});
    }
    begin = end;
  }
  return lines;
}

}  // namespace

std::string matrix_tables(const std::vector<model::TestReport>& reports, std::size_t columns,
                          const Paint& paint) {
  std::string out;
  for (const MatrixCells& matrix : matrices_of(reports)) {
    for (const TableLine& line : Table(matrix, columns, paint).lines()) {
      out += line.text + "\n";
    }
  }
  return out;
}

std::vector<std::string> live_matrix(const std::vector<LiveCell>& cells, std::size_t columns,
                                     std::size_t rows, const Paint& paint) {
  constexpr std::size_t kRowsMin = 2;  // The names of the faults, and a scenario.
  if (rows < kRowsMin) return {};
  const MatrixCells matrix(cells);
  const std::vector<TableLine> lines = Table(matrix, columns, paint).lines();
  std::vector<std::string> shown;
  if (lines.size() <= rows) {
    for (const TableLine& line : lines) shown.push_back(line.text);
    return shown;
  }
  const auto found = std::ranges::find(lines, true, &TableLine::running);
  const std::size_t running =
      found == lines.end() ? 1 : static_cast<std::size_t>(std::distance(lines.begin(), found));
  const std::size_t head = lines[running].head;
  shown.push_back(lines[head].text);
  // What has run is told above the table: the cell that runs stands last.
  const std::size_t first =
      std::max(head + 1, running + kRowsMin > rows ? running + kRowsMin - rows : 0);
  for (std::size_t at = first; at < lines.size() && shown.size() < rows; ++at) {
    if (lines[at].head == head && at != head) shown.push_back(lines[at].text);
  }
  return shown;
}

}  // namespace misrule::controller
