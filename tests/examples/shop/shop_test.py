#!/usr/bin/python3
"""The example shop end to end: sound it passes; each bug is caught by exactly its test; without the
rules the shops with bugs pass everything, so it is the faults that find them."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[3]))
BUILD = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", SOURCES / "build" / "release"))
SHOP = SOURCES / "examples" / "shop"
sys.path.insert(0, str(SHOP))

import expect  # noqa: E402

MISRULE = BUILD / "bin" / "misrule"
CAUGHT_BY = {
    "retry_without_key": ("test_insert_fails_once_then_retries",
                          "payments charged: expected 1, got 2"),
    "answer_before_commit": ("test_disk_full", "orders stored: expected 1, got 0"),
    "swallow_error": ("test_database_refuses_connections", "payments charged: expected 1, got 0"),
}


def without_rules(spec):
    """The same spec whose fault() calls only call what they would have run."""
    lines, replaced = [], 0
    for line in spec.splitlines(keepends=True):
        match = re.search(r"fault\(.*run = (?:lambda: (?P<call>.*)|(?P<name>\w+))\)$",
                          line.rstrip())
        if match:
            replaced += 1
            call = match["call"] or match["name"] + "()"
            line = line[:match.start()] + call + "\n"
        lines.append(line)
    return "".join(lines), replaced


class Shop(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-shop-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        for file in ("shop.star", "schema.sql", "api.py"):
            shutil.copy(SHOP / file, self.folder)

    def run_spec(self, *arguments, spec="shop.star"):
        process = subprocess.run(
            [MISRULE, "test", spec, "--json", "run.json", *arguments], cwd=self.folder,
            capture_output=True, text=True, timeout=300)
        self.output = process.stdout + process.stderr
        path = self.folder / "run.json"
        self.assertTrue(path.exists() and path.stat().st_size > 0, self.output)
        run = json.loads(path.read_text())
        self.assertEqual(process.returncode, run["exit_code"], self.output)
        return run

    def assert_expected(self, run, *arguments):
        self.assertEqual(list(expect.problems(run, *arguments)), [], self.output)

    def test_a_sound_shop_passes(self):
        self.assert_expected(self.run_spec())

    def test_each_bug_is_caught_by_its_test_alone(self):
        for bug, (test, reason) in CAUGHT_BY.items():
            with self.subTest(bug):
                self.assert_expected(self.run_spec("--set", f"BUG={bug}"), test, reason)

    def test_without_rules_nobody_is_caught(self):
        text, replaced = without_rules((self.folder / "shop.star").read_text())
        self.assertEqual(replaced, 4, text)
        (self.folder / "calm.star").write_text(text)
        for bug in ("", *CAUGHT_BY):
            with self.subTest(bug):
                run = self.run_spec("--set", f"BUG={bug}", spec="calm.star")
                outcomes = {test["name"]: test["outcome"] for test in run["tests"]}
                self.assertEqual(outcomes, dict.fromkeys(expect.TESTS, "passed"), self.output)

    def test_the_printed_command_repeats_the_failure(self):
        bug = "swallow_error"
        self.run_spec("--set", f"BUG={bug}")
        (again,) = re.findall(r"^ *again: (.*)$", self.output, re.MULTILINE)
        repeated = subprocess.run(again, shell=True, cwd=self.folder, capture_output=True,
                                  text=True, timeout=120)
        self.assertEqual(repeated.returncode, 1, repeated.stdout + repeated.stderr)
        self.assertIn(CAUGHT_BY[bug][1], repeated.stdout)
        self.assertIn("1 failed in", repeated.stdout)


class Demo(unittest.TestCase):
    def run_demo(self, misrule):
        return subprocess.run([SHOP / "demo"], env={**os.environ, "MISRULE": str(misrule)},
                              capture_output=True, text=True, timeout=300)

    def test_shows_both_runs(self):
        process = self.run_demo(MISRULE)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertIn("5 passed", process.stdout)
        self.assertIn("1 failed, 4 passed", process.stdout)
        self.assertTrue(process.stdout.endswith("failed for the right reason.\n"), process.stdout)

    def test_a_misrule_that_finds_nothing_is_no_demo(self):
        with tempfile.TemporaryDirectory() as folder:
            blind = pathlib.Path(folder) / "misrule"
            blind.write_text(f'#!/bin/sh\nexec {MISRULE} "$@" --set BUG=\n')
            blind.chmod(0o755)
            process = self.run_demo(blind)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("demo: the outcomes are", process.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: worlds need root")
        sys.exit(77)
    unittest.main()
