#include "controller/report/matrix_cells.h"

#include <algorithm>
#include <map>
#include <utility>

namespace misrule::controller {

namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

void MatrixCells::add(const model::TestReport& report) {
  cells_.push_back(&report);
  add_once(scenarios_, report.cell.scenario);
  add_once(faults_, report.cell.fault);
}

const model::TestReport* MatrixCells::find(const std::string& scenario,
                                           const std::string& fault) const {
  for (const model::TestReport* cell : cells_) {
    if (cell->cell.scenario == scenario && cell->cell.fault == fault) return cell;
  }
  return nullptr;
}

std::vector<MatrixCells> matrices_of(const std::vector<model::TestReport>& reports) {
  std::map<std::pair<std::string, std::size_t>, MatrixCells> matrices;
  for (const model::TestReport& report : reports) {
    if (report.cell.matrix > 0) matrices[{report.cell.spec, report.cell.matrix}].add(report);
  }
  std::vector<MatrixCells> out;
  out.reserve(matrices.size());
  for (auto& [place, cells] : matrices) out.push_back(std::move(cells));
  return out;
}

}  // namespace misrule::controller
