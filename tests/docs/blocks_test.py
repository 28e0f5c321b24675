#!/usr/bin/python3
"""Blocks are found, split and joined as blocks.py says."""

import unittest

import blocks

DOCUMENT = """# A page

```star
db = service("db")
```

```star
def test_a():
    pass
```

```sh
make demo     # builds
misrule test a.star \\
    -v        # exit code 1
# only a comment
```

```text
+--+
```

```cpp
int x;
```

```
nothing
```
"""


class Blocks(unittest.TestCase):
    def setUp(self):
        self.blocks = list(blocks.blocks_of("a.md", DOCUMENT))

    def test_all_are_found_with_their_lines(self):
        self.assertEqual([(b.language, b.line) for b in self.blocks],
                         [("star", 4), ("star", 8), ("sh", 13), ("text", 20), ("cpp", 24),
                          ("", 28)])

    def test_commands_join_lines_and_know_their_exit_codes(self):
        found = list(blocks.commands_of(self.blocks[2]))
        self.assertEqual([(c.text, c.exit_code, c.line) for c in found],
                         [("make demo", 0, 13), ("misrule test a.star     -v", 1, 14)])

    def test_specs_continue_what_stands_before_them(self):
        found = [(block.line, text) for block, text in blocks.specs_of(self.blocks)]
        self.assertEqual(found, [(8, 'db = service("db")\n\ndef test_a():\n    pass\n\n')])

    def test_ports_are_free_ones_and_a_page_s_own(self):
        numbers = iter(range(20001, 20009))
        ports = blocks.Ports(lambda: next(numbers))
        self.assertEqual(ports.put_into("a.md", "x:18098 y:18099/18098 118098"),
                         "x:20001 y:20002/20001 118098")
        self.assertEqual(ports.put_into("b.md", "x:18098"), "x:20003")
        self.assertEqual(ports.put_into("a.md", "x:18099"), "x:20002")

    def test_what_nobody_executes_is_named(self):
        self.assertEqual([b.language for b in blocks.unknown_languages(self.blocks)], ["cpp", ""])


if __name__ == "__main__":
    unittest.main()
