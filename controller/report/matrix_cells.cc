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

MatrixCells::MatrixCells(const std::vector<LiveCell>& cells) {
  for (const LiveCell& cell : cells) add(cell);
}

void MatrixCells::add(LiveCell cell) {
  add_once(scenarios_, cell.place.scenario);
  add_once(faults_, cell.place.fault);
  cells_.push_back(std::move(cell));
}

const LiveCell* MatrixCells::find(const std::string& scenario, const std::string& fault) const {
  for (const LiveCell& cell : cells_) {
    if (cell.place.scenario == scenario && cell.place.fault == fault) return &cell;
  }
  return nullptr;
}

std::vector<MatrixCells> matrices_of(const std::vector<model::TestReport>& reports) {
  std::map<std::pair<std::string, std::size_t>, MatrixCells> matrices;
  for (const model::TestReport& report : reports) {
    if (report.cell.matrix == 0) continue;
    matrices[{report.cell.spec, report.cell.matrix}].add(
        {.place = report.cell, .outcome = report.outcome});
  }
  std::vector<MatrixCells> out;
  out.reserve(matrices.size());
  for (auto& [place, cells] : matrices) out.push_back(std::move(cells));
  return out;
}

}  // namespace misrule::controller
