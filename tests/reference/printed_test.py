#!/usr/bin/python3
"""Lines are taken and re-indented as printed.py says."""

import ast
import unittest

import printed

FLAT = '''def order(event):
# what it is about
if (event["a"] == "b)"
and event.get("c") in [1, 2]):
rows = find(where=lambda e:
e.kind == "x: (")
if len(rows) == 0:
fail("none (at all")
found = watch(order)
def other():
both = together(
lambda: 1,
)
return both
use(other)
'''

WHOLE = '''def order(event):
    # what it is about
    if (event["a"] == "b)"
        and event.get("c") in [1, 2]):
        rows = find(where=lambda e:
            e.kind == "x: (")
        if len(rows) == 0:
            fail("none (at all")
found = watch(order)
def other():
    both = together(
        lambda: 1,
        )
    return both
use(other)
'''


class Printed(unittest.TestCase):
    def test_blocks_come_back(self):
        text = "\n".join(printed.reindent(FLAT.splitlines())) + "\n"
        self.assertEqual(text, WHOLE)
        ast.parse(text)
        with self.assertRaises(SyntaxError):
            ast.parse(FLAT)

    def test_lines_are_counted_from_one(self):
        self.assertEqual(printed.lines_of("a\nb\nc\nd\n", ["2-3", "4"]), ["b", "c", "", "d", ""])


if __name__ == "__main__":
    unittest.main()
