#!/usr/bin/python3
"""The patterns end to end: sound services pass; each mistake is caught by what it is for alone; and
by nobody once the faults are gone."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[3]))
BUILD = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", SOURCES / "build" / "release"))
PATTERNS = SOURCES / "examples" / "patterns"
MISRULE = BUILD / "bin" / "misrule"

TESTS = {
    "catalog": {"test_matrix_look_db_away", "test_matrix_look_cache_away",
                "test_matrix_change_db_away", "test_matrix_change_cache_away",
                "test_matrix_change_cache_mute", "test_matrix_change_no_update"},
    "outbox": {"test_calm", "test_told_twice", "test_stream_away", "test_shipping_fails"},
    "mesh": {f"test_matrix_buy_{fault}" for fault in
             ("payment_away", "payment_refuses", "answer_lost", "stock_slow", "both")},
}
# Spec, mistake, what is said of it, by which tests.
BUGS = [
    ("catalog", "forget_cache", "shown: expected 7, got 5",
     {"test_matrix_change_cache_mute"}),
    ("outbox", "ship_again", "none is shipped twice", {"test_told_twice"}),
    ("mesh", "keep_money", "stock and money held: expected (0, 0), got (0, 1)",
     {"test_matrix_buy_answer_lost", "test_matrix_buy_both"}),
]
# What stands in a spec's place from its first fault on.
CALM = {
    "catalog": '''
def test_calm():
    assert_eq(change().status, 200)
    assert_eq((look().data["price"], look().data["price"]), (7, 7))
''',
    "outbox": '''
def test_calm():
    assert_eq([order().status, order().status], [201, 201])
''',
    "mesh": '''
def test_calm():
    assert_eq(buy().status, 200)
    assert_eq((stock.get(path = "/held").data, payment.get(path = "/held").data), (1, 1))
''',
}
FIRST_FAULT = {"catalog": "db_away = ", "outbox": "def order_and_wait_for(",
               "mesh": "payment_away = "}


class Patterns(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-patterns-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(PATTERNS, self.folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns(".misrule", "__pycache__"))
        self.folder.chmod(0o755)

    def run_spec(self, name, *arguments):
        process = subprocess.run(
            [MISRULE, "test", f"{name}.star", "--json", "run.json", *arguments], cwd=self.folder,
            capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        self.output = process.stdout + process.stderr
        run = json.loads((self.folder / "run.json").read_text())
        self.assertEqual(process.returncode, run["exit_code"], self.output)
        return {test["name"]: test for test in run["tests"]}

    def assert_caught(self, tests, by, reason=""):
        outcomes = {name: test["outcome"] for name, test in tests.items()}
        expected = {name: "failed" if name in by else "passed" for name in tests}
        self.assertEqual(outcomes, expected, self.output)
        for name in by:
            messages = [finding["message"] for finding in tests[name]["findings"]]
            self.assertEqual(len(messages), 1, self.output)
            self.assertIn(reason, messages[0], self.output)

    def test_sound_services_pass(self):
        for name, tests in TESTS.items():
            with self.subTest(name):
                run = self.run_spec(name)
                self.assertEqual(set(run), tests, self.output)
                self.assert_caught(run, set())

    def test_each_mistake_is_caught_by_what_it_is_for(self):
        for name, bug, reason, by in BUGS:
            with self.subTest(f"{name} BUG={bug}"):
                run = self.run_spec(name, "--set", f"BUG={bug}")
                self.assertEqual(set(run), TESTS[name], self.output)
                self.assert_caught(run, by, reason)

    def test_without_faults_nobody_is_caught(self):
        for name, bug, _, _ in BUGS:
            with self.subTest(f"{name} BUG={bug}"):
                text = (self.folder / f"{name}.star").read_text()
                self.assertEqual(text.count(FIRST_FAULT[name]), 1)
                calm = text.partition(FIRST_FAULT[name])[0] + CALM[name]
                (self.folder / "calm.star").write_text(calm)
                run = self.run_spec("calm", "--set", f"BUG={bug}")
                self.assertEqual(set(run), {"test_calm"}, self.output)
                self.assert_caught(run, set())


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: worlds need root")
        sys.exit(77)
    unittest.main()
