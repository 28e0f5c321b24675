#include "controller/report/matrix_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "controller/report/failure.h"

namespace misrule::controller {

namespace {

constexpr std::size_t kNarrowColumns = 14;
constexpr std::string_view kGap = "  ";

using Reports = std::vector<const model::TestReport*>;

class Table {
 public:
  Table(Reports cells, std::size_t columns, const Paint& paint)
      : cells_(std::move(cells)), paint_(paint) {
    for (const model::TestReport* cell : cells_) {
      add(scenarios_, cell->cell.scenario);
      add(faults_, cell->cell.fault);
    }
    narrow_ = width() > columns;
  }
  std::string text() const;

 private:
  static void add(std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  const model::TestReport* find(const std::string& scenario, const std::string& fault) const;
  std::string shown(const std::string& name) const {
    return narrow_ ? cut_to(name, kNarrowColumns) : name;
  }
  /// Without its colour.
  std::string words_of(const model::TestReport* cell) const;
  std::size_t columns_of(const std::string& fault) const;
  std::size_t name_columns() const;
  std::size_t width() const;

  Reports cells_;
  const Paint& paint_;
  std::vector<std::string> scenarios_ = {};
  std::vector<std::string> faults_ = {};
  bool narrow_ = false;
};

const model::TestReport* Table::find(const std::string& scenario, const std::string& fault) const {
  for (const model::TestReport* cell : cells_) {
    if (cell->cell.scenario == scenario && cell->cell.fault == fault) return cell;
  }
  return nullptr;
}

std::string Table::words_of(const model::TestReport* cell) const {
  if (cell == nullptr) return "·";
  const std::string mark = mark_of(cell->outcome, Paint(false));
  if (narrow_) return mark;
  return fmt::format("{} {}", mark, model::outcome_name(cell->outcome));
}

std::size_t Table::columns_of(const std::string& fault) const {
  std::size_t wide = text_columns(shown(fault));
  for (const std::string& scenario : scenarios_) {
    wide = std::max(wide, text_columns(words_of(find(scenario, fault))));
  }
  return wide;
}

std::size_t Table::name_columns() const {
  std::size_t wide = 0;
  for (const std::string& scenario : scenarios_) {
    wide = std::max(wide, text_columns(shown(scenario)));
  }
  return wide;
}

std::size_t Table::width() const {
  std::size_t wide = kGap.size() + name_columns();
  for (const std::string& fault : faults_) wide += kGap.size() + columns_of(fault);
  return wide;
}

std::string Table::text() const {
  const auto ended = [](std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  std::string head = std::string(kGap) + padded("", name_columns());
  for (const std::string& fault : faults_) {
    head += std::string(kGap) + padded(shown(fault), columns_of(fault));
  }
  std::string out = paint_.bold(ended(head)) + "\n";
  for (const std::string& scenario : scenarios_) {
    std::string line = std::string(kGap) + padded(shown(scenario), name_columns());
    for (const std::string& fault : faults_) {
      const model::TestReport* cell = find(scenario, fault);
      std::string words = padded(words_of(cell), columns_of(fault));
      if (cell == nullptr) {
        words = paint_.dim(words);
      } else {
        const std::string plain = mark_of(cell->outcome, Paint(false));
        words = mark_of(cell->outcome, paint_) + words.substr(plain.size());
      }
      line += std::string(kGap) + words;
    }
    out += ended(std::move(line)) + "\n";
  }
  return out;
}

}  // namespace

std::string matrix_tables(const std::vector<model::TestReport>& reports, std::size_t columns,
                          const Paint& paint) {
  std::map<std::pair<std::string, std::size_t>, Reports> matrices;
  for (const model::TestReport& report : reports) {
    if (report.cell.matrix > 0) {
      matrices[{report.cell.spec, report.cell.matrix}].push_back(&report);
    }
  }
  std::string out;
  for (auto& [place, cells] : matrices) {
    out += Table(std::move(cells), columns, paint).text();
  }
  return out;
}

}  // namespace misrule::controller
