#!/usr/bin/python3
"""docs/tutorial.md is walked through as a reader would, in an empty folder.

A block with file=NAME is written to that file; append adds to it, replace=FUNCTION puts the block
in the place of that function. A shell block runs; each line of the text block behind it must be
part of what its last command said, in that order.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import blocks

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", SOURCES / "build" / "release"))
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-tutorial-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.said = ""

    def write(self, words, text):
        given = dict(word.split("=", 1) if "=" in word else (word, True) for word in words)
        path = self.folder / given["file"]
        if "append" in given:
            text = path.read_text() + "\n" + text
        elif "replace" in given:
            old = re.search(rf"^def {given['replace']}\(.*?\n(?=\n\n)", path.read_text(),
                            re.MULTILINE | re.DOTALL)
            text = path.read_text().replace(old[0], text)
        path.write_text(text)

    def run_block(self, text):
        block = blocks.Block("docs/tutorial.md", 0, "sh", text)
        environment = {**os.environ, "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"}
        for command in blocks.commands_of(block):
            process = subprocess.run(["bash", "-euo", "pipefail", "-c", command.text], text=True,
                                     cwd=self.folder, env=environment, capture_output=True,
                                     timeout=200)
            self.said = process.stdout + process.stderr
            self.assertEqual(process.returncode, command.exit_code, f"{command.text}\n{self.said}")

    def compare(self, text):
        rest = self.said
        for line in text.splitlines():
            self.assertIn(line, rest, f"in this order, in\n{self.said}")
            rest = rest[rest.index(line) + len(line):]

    def test_every_step_does_what_it_says(self):
        counts = {"written": 0, "sh": 0, "text": 0}
        for language, words, text in FENCE.findall((SOURCES / "docs" / "tutorial.md").read_text()):
            if "file=" in words:
                counts["written"] += 1
                self.write(words.split(), text)
                continue
            counts[language] += 1
            (self.run_block if language == "sh" else self.compare)(text)
        self.assertEqual(counts, {"written": 4, "sh": 4, "text": 4})


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: worlds need root")
        sys.exit(77)
    if shutil.which("redis-server") is None:
        print("skipped: redis-server is not installed")
        sys.exit(77)
    unittest.main()
