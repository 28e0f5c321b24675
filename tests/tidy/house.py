"""What ARCHITECTURE.md says: who may include whom, and which library a header belongs to."""

import fnmatch
import re


def table_rows(text, first_header):
    """The rows, as lists of cells, of the tables whose first column is called `first_header`."""
    rows, inside = [], False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == first_header:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


def code_words(cell):
    return re.findall(r"`([^`]+)`", cell)


def names(cell):
    return [name.strip() for name in cell.split(",") if name.strip() not in ("", "–", "-")]


class House:
    """The tables | folder | what | may include of ours | libraries | and | library | headers |."""

    def __init__(self, text):
        self.folders = {}
        for cells in table_rows(text, "folder"):
            for folder in code_words(cells[0]):
                self.folders[folder] = (self._ours(cells[2]), self._libraries(cells[3]))
        self.libraries = {cells[0]: code_words(cells[1])
                          for cells in table_rows(text, "library")}

    @staticmethod
    def _ours(cell):
        return None if "everything" in cell else code_words(cell)

    @staticmethod
    def _libraries(cell):
        return None if "everything" in cell else names(cell)

    def row_of(self, path):
        """The row of the longest folder that `path` lies in: (folder, ours, libraries), or None."""
        fitting = [folder for folder in self.folders if path.startswith(folder)]
        if not fitting:
            return None
        folder = max(fitting, key=len)
        return (folder, *self.folders[folder])

    def library_of(self, header):
        for library, patterns in self.libraries.items():
            if any(fnmatch.fnmatchcase(header, pattern) for pattern in patterns):
                return library
        return None

    def may_include_ours(self, path, target):
        row = self.row_of(path)
        if row is None:
            return False
        folder, ours, _ = row
        if ours is None:
            return True
        return any(target == entry or (entry.endswith("/") and target.startswith(entry))
                   for entry in [folder, "base/", *ours])

    def may_use(self, path, library):
        row = self.row_of(path)
        return row is not None and (row[2] is None or library in row[2])
