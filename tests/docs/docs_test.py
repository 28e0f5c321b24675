#!/usr/bin/python3
"""Every code block of README.md, docs/ and the other pages does what it says.

Commands run in a copy of examples/shop with the built misrule on the PATH. `make` is asked whether
it knows the target (make -n): `make test` is what runs this test, the demo has a test of its own.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import jsonschema

import blocks

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", SOURCES / "build" / "release"))
PR_SET_CHILD_SUBREAPER = 36
SPECS_MIN = 5
COMMANDS_MIN = 14


def pages():
    found = sorted(SOURCES.glob("*.md")) + sorted(SOURCES.glob("docs/**/*.md"))
    for folder in ("base", "codecs", "spec", "proxy", "interceptor", "controller", "cli",
                   "examples", "bench", "tests"):
        found += sorted(SOURCES.glob(f"{folder}/**/*.md"))
    # The tutorial is a story: tutorial_test.py walks through it.
    return {str(path.relative_to(SOURCES)): path.read_text() for path in found
            if path.name != "tutorial.md"}


def free_port():
    """One that no client is given meanwhile: below the range of those."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # What a page leaves running behind its commands becomes ours, and ends with us.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        cls.pages = {path: list(blocks.blocks_of(path, text)) for path, text in pages().items()}
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-docs-test-"))
        cls.folder.chmod(0o755)
        for file in ("shop.star", "schema.sql", "api.py"):
            shutil.copy(SOURCES / "examples" / "shop" / file, cls.folder)
        cls.environment = {**os.environ, "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"}

    @classmethod
    def tearDownClass(cls):
        children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        shutil.rmtree(cls.folder)

    def blocks_in(self, language):
        return [block for found in self.pages.values() for block in found
                if block.language == language]

    def run_in_shop(self, command):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=self.folder,
                              env=self.environment, capture_output=True, text=True, timeout=500)

    def write_spec(self, spec, page):
        (self.folder / "page.star").write_text(spec)
        (self.folder / "misrule.toml").write_text(blocks.project_of(page))

    def test_every_block_has_a_known_language(self):
        for path, found in self.pages.items():
            self.assertEqual(blocks.unknown_languages(found), [], path)

    def test_every_spec_is_right(self):
        count = 0
        for found in self.pages.values():
            for block, spec in blocks.specs_of(found):
                count += 1
                with self.subTest(f"{block.path}:{block.line}"):
                    self.write_spec(spec, found)
                    process = self.run_in_shop("misrule check page.star")
                    self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertGreaterEqual(count, SPECS_MIN)

    def test_every_page_holds_when_it_runs(self):
        for path, found in self.pages.items():
            specs = [spec for _, spec in blocks.specs_of(found)]
            if specs:
                with self.subTest(path):
                    self.write_spec(specs[-1], found)
                    process = self.run_in_shop("misrule test page.star")
                    self.assertEqual(process.returncode, 0, process.stdout + process.stderr)

    def test_every_command_answers_what_the_page_says(self):
        commands = [command for block in self.blocks_in("sh")
                    for command in blocks.commands_of(block)]
        ports = blocks.Ports(free_port)
        for command in commands:
            with self.subTest(f"{command.path}:{command.line}: {command.text}"):
                text = re.sub(r"^make ", f"make -n -C {SOURCES} ", command.text)
                process = self.run_in_shop(ports.put_into(command.path, text))
                self.assertEqual(process.returncode, command.exit_code,
                                 process.stdout + process.stderr)
        self.assertGreaterEqual(len(commands), COMMANDS_MIN)

    def test_json_is_json(self):
        for block in self.blocks_in("json"):
            json.loads(block.text)

    def test_flags_of_the_manual_are_the_flags_of_the_program(self):
        manual = (SOURCES / "docs" / "command-line.md").read_text()
        section = manual.split("## `misrule test")[1].split("\n## ")[0]
        documented = set(re.findall(r"^\| `(--?[\w-]+)", section, re.MULTILINE))
        shown = self.run_in_shop("misrule test --help").stdout
        known = set(re.findall(r"^ +(?:-\w,)?(--?[\w-]+)", shown, re.MULTILINE)) - {"--help"}
        self.assertEqual(documented, {"-v" if flag == "--verbose" else flag for flag in known})

    def test_the_results_of_the_shop_obey_the_schema(self):
        schema = json.loads((SOURCES / "docs" / "run.schema.json").read_text())
        for setting, code in (("", 0), ("--set BUG=swallow_error", 1)):
            result = self.folder / "run.json"
            result.unlink(missing_ok=True)
            process = self.run_in_shop(f"misrule test shop.star --json run.json {setting}")
            self.assertEqual(process.returncode, code, process.stdout + process.stderr)
            run = json.loads(result.read_text())
            jsonschema.validate(run, schema)
            self.assertEqual(run["exit_code"], code)
            self.assertGreater(len(run["tests"]), 0)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: worlds need root")
        sys.exit(77)
    unittest.main()
