#!/usr/bin/python3
"""Writes one CTestTestfile.cmake with the tests of several build trees.

    gather_tests.py --out FILE release asan:e2e release:-exhaustive --lint changed

TREE takes all tests of build/TREE, TREE:LABEL those with a label, TREE:-LABEL those without it.
Tests of the release tree keep their names; those of another tree get its name in front. A tree
without a matching test is an error, because a selection of nothing must never look like success.
With --lint all come clang-tidy of every file and the mutants.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def quote(text):
    """Bracket arguments take any text literally, as long as the closing bracket is not in it."""
    equals = ""
    while "]" + equals + "]" in text:
        equals += "="
    return f"[{equals}[{text}]{equals}]"


def property_text(value):
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, list):
        return ";".join(property_text(item) for item in value)
    if isinstance(value, dict):
        raise SystemExit(f"gather_tests: cannot carry a property of this shape over: {value}")
    return str(value)


def tests_of(tree):
    shown = subprocess.run(["ctest", "--test-dir", ROOT / "build" / tree, "--show-only=json-v1"],
                           check=True, capture_output=True, text=True)
    for test in json.loads(shown.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        yield test["name"], test.get("command"), properties


def wanted(selector, labels):
    if not selector:
        return True
    if selector.startswith("-"):
        return selector[1:] not in labels
    return selector in labels


def lines_for(tree, name, command, properties):
    full_name = name if tree == "release" else f"{tree}.{name}"
    yield f"add_test({quote(full_name)} {' '.join(map(quote, command))})"
    for key, value in properties.items():
        if key.startswith("_"):
            continue
        value_text = quote(property_text(value))
        yield f"set_tests_properties({quote(full_name)} PROPERTIES {key} {value_text})"


def gather(selection):
    tree, _, selector = selection.partition(":")
    found = []
    for name, command, properties in tests_of(tree):
        if wanted(selector, properties.get("LABELS", [])):
            if not command:
                raise SystemExit(f"gather_tests: {tree}: test {name} has not been built")
            found.extend(lines_for(tree, name, command, properties))
    if not found:
        raise SystemExit(f"gather_tests: '{selection}' selects no test")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--lint", choices=["changed", "all"])
    parser.add_argument("selections", nargs="+")
    arguments = parser.parse_args()

    lines = [line for selection in arguments.selections for line in gather(selection)]
    if arguments.lint:
        lines += lines_for("release", f"clang_tidy_{arguments.lint}",
                           [str(ROOT / "tools" / "lint"), f"--clang-tidy={arguments.lint}"],
                           {"TIMEOUT": 3600, "PROCESSORS": 2})
    if arguments.lint == "all":
        lines += lines_for("release", "mutants",
                           ["/usr/bin/python3", str(ROOT / "tests" / "mutants" / "mutants.py")],
                           {"TIMEOUT": 3600, "PROCESSORS": 2})
    arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
