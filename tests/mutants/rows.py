#!/usr/bin/python3
"""Has each row of the vocabulary (rows.toml) a test that is called by its number, and a mutant?

A test carries a number in its name or in a comment beside it, as S1-39 or S1_39; a mutant in its
name. A row without one, a number that is no row, and a reason that is none any more are findings.
"""

import pathlib
import sys
import tomllib

import mutants
from row_mutants import rows_in

HERE = pathlib.Path(__file__).resolve().parent
SUFFIXES = (".cc", ".py", ".toml", ".star")


def tests_by_row():
    found = {}
    for path in sorted(HERE.parent.rglob("*")):
        if path.suffix in SUFFIXES and HERE not in path.parents:
            for row in rows_in(path.read_text()):
                found.setdefault(row, []).append(path.name)
    return found


def mutants_by_row():
    found = {}
    for mutant in mutants.MUTANTS:
        for row in rows_in(mutant[0]):
            found.setdefault(row, []).append(mutant[0])
    return found


def findings(table, tests, changes):
    rows = [f"{part}-{number}" for part, last in table["rows"].items()
            for number in range(1, last + 1)]
    without = table.get("without", {})
    for row in rows:
        missing = [what for what, found in (("test", tests), ("mutant", changes))
                   if row not in found]
        if missing and row not in without:
            yield f"{row} has no {' and no '.join(missing)}"
        if not missing and row in without:
            yield f"{row} has a test and a mutant: it needs no reason"
    for row in sorted((set(tests) | set(changes) | set(without)) - set(rows)):
        yield f"{row} is no row: {', '.join(tests.get(row, []) + changes.get(row, []))}"


def main():
    table = tomllib.loads((HERE / "rows.toml").read_text())
    found = list(findings(table, tests_by_row(), mutants_by_row()))
    for line in found:
        print(f"rows: {line}")
    count = sum(table["rows"].values())
    print(f"rows: {count} rows, {len(table.get('without', {}))} with a reason for having none, "
          f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
