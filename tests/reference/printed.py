"""The code of the printed documents: taken from their lines, and re-indented where it has none.

Nothing of the documents is kept here: specs are put together from line numbers when the test runs.
"""

import re

STEP = "    "


def lines_of(text, ranges):
    """The lines that "17-45" names, counted from 1, both ends included."""
    lines = text.splitlines()
    found = []
    for wanted in ranges:
        first, _, last = wanted.partition("-")
        found += lines[int(first) - 1:int(last or first)] + [""]
    return found


def depth_after(line, depth):
    """How many brackets are open behind a line. Comments and what stands in quotes do not count."""
    bare = re.sub(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"", "", line)
    bare = bare.partition("#")[0]
    return depth + len(re.findall(r"[(\[{]", bare)) - len(re.findall(r"[)\]}]", bare))


def ends_with_colon(line):
    return line.partition("#")[0].rstrip().endswith(":")


def reindent(lines):
    """Gives code whose lines all begin in the first column its blocks back: what follows a colon
    is inside; a function ends with its `return`, or where it calls fail()."""
    out, block, depth, opens, leaves = [], 0, 0, False, False
    for line in (line.strip() for line in lines):
        first = depth == 0
        if first and line.startswith("def "):
            block = 0
        out.append(STEP * (block if first else block + 1) + line if line else "")
        if first:
            opens = re.match(r"(def|if|for|else|elif)\b", line) is not None
            leaves = re.match(r"return\b|fail\(", line) is not None
        depth = depth_after(line, depth)
        if depth == 0 and opens and ends_with_colon(line):
            block, opens = block + 1, False
        if depth == 0 and leaves:
            block, leaves = 0, False
    return out
